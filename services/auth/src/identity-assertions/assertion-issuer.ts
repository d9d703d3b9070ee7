// That a connection's identity provider may vouch for its users towards assistants (ID-JAG,
// draft-ietf-oauth-identity-assertion-authz-grant), and by which keys it does. One for each connection, under its id;
// where there is none, nothing that the provider signs is taken. Pure.
import { event, invalidField } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision } from '@reeve/store';
import { z } from 'zod';
import type { Connection } from '../connections/connection.ts';
import { assertPlainUrl } from '../plain-url.ts';

/** No symmetric one: whoever knows a secret could vouch for anybody. */
const algorithms = ['ES256', 'PS256', 'RS256', 'EdDSA', 'Ed25519'] as const;

const url = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .superRefine(assertPlainUrl);
const name = z.string().min(1).max(500);

export const assertionIssuerSchema = z.strictObject({
  enabled: z.boolean().default(true),
  issuer: url.nullable().default(null).describe('What it calls itself there; null for the issuer of the connection'),
  jwksUri: url.nullable().default(null).describe('Where its keys are; null for those of the connection'),
  algorithms: z
    .array(z.enum(algorithms))
    .min(1)
    .refine(list => new Set(list).size === list.length, 'has one twice')
    .default(['ES256', 'RS256']),
  reuse: z
    .enum(['once', 'until_expiry'])
    .default('once')
    .describe('Whether an assertion counts once, or as often as it comes until it expires'),
  tenantClaim: name
    .nullable()
    .default(null)
    .describe('The claim `tenant`, of an issuer that has many tenants; null where it has none'),
  nameId: z
    .strictObject({
      format: name,
      nameQualifier: name.nullable().default(null),
      spNameQualifier: name.nullable().default(null),
    })
    .nullable()
    .default(null)
    .describe('Of a SAML connection: what `sub_id` says besides the name, all of which is compared'),
});
type Settings = z.infer<typeof assertionIssuerSchema>;

export type AssertionIssuer = Omit<Settings, 'issuer'> & {
  issuer: string;
  /** By it assertions are looked up, before any tenant is known. */
  knownAs: string;
  deletedAt?: Date;
};
export type AssertionIssuers = Collections<AssertionIssuer>;

/** An issuer that has many tenants is as many issuers. */
export const knownAs = (issuer: string, tenant: string | null): string => JSON.stringify([issuer, tenant]);

export const assertionIssuers = collection<AssertionIssuer>({
  name: 'assertion_issuers',
  // Of two an assertion would be of both, and count in neither.
  unique: { knownAs: ({ knownAs, deletedAt }) => (deletedAt ? null : knownAs) },
  foundAcrossTenants: ['issuer', 'knownAs'],
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

export const assertionIssuerView = z.object({ ...assertionIssuerSchema.shape, issuer: z.string() });

export function viewOf(state: AssertionIssuer): z.infer<typeof assertionIssuerView> {
  const { enabled, issuer, jwksUri, algorithms, reuse, tenantClaim, nameId } = state;
  return { enabled, issuer, jwksUri, algorithms, reuse, tenantClaim, nameId };
}

/** Where the connection's provider publishes its keys, if it does. */
type Publishes = { issuer: string; jwksUri: string } | null;

type Given = { settings: Settings; connection: Pick<Connection, 'kind'>; publishes: Publishes; ownIssuer: string };

/** Throws `input_invalid` for what cannot be compared with anything. */
export function accepted({ settings, connection, publishes, ownIssuer }: Given): AssertionIssuer {
  const { issuer: given, jwksUri, nameId, tenantClaim } = settings;
  if ((given === null) !== (jwksUri === null))
    throw invalidField(given === null ? 'issuer' : 'jwksUri', 'comes with the other: issuer and jwksUri');
  const issuer = given ?? publishes?.issuer;
  if (issuer === undefined)
    throw invalidField('issuer', 'is needed: the provider of this connection publishes no keys of one issuer');
  if (issuer === ownIssuer) throw invalidField('issuer', 'is Reeve itself');
  const isSaml = connection.kind === 'saml';
  if (isSaml !== (nameId !== null))
    throw invalidField('nameId', isSaml ? 'is needed for a SAML connection' : 'is for SAML connections');
  return { ...settings, issuer, knownAs: knownAs(issuer, tenantClaim) };
}

export function set(
  connectionId: string,
  before: AssertionIssuer | null,
  state: AssertionIssuer,
): Decision<AssertionIssuer> {
  const changed = before ? changedIn(before, state) : Object.keys(viewOf(state));
  return changed.length === 0 ? null : { state, events: [updated(connectionId, changed, 'requested')] };
}

export const remove = (connectionId: string, state: AssertionIssuer, at: Date): Decision<AssertionIssuer> => ({
  state: { ...state, deletedAt: at },
  events: [updated(connectionId, Object.keys(viewOf(state)), 'reset')],
});

function updated(connectionId: string, changed: readonly string[], because: 'requested' | 'reset') {
  const names = changed.filter(one => one !== 'knownAs');
  const details = { kind: 'identity-assertions', name: connectionId, changed: names };
  return event('policy.updated', { id: `identity-assertions/${connectionId}`, because, details });
}
