import { foreseenIdentity } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { IdentityResolver } from '../sign-in/identity-resolver.ts';
import { questionOf } from '../sign-in/question-of.ts';
import type { Connection, Connections } from './connection.ts';
import type { ConnectionDirectory } from './connection-directory.ts';
import { boundedClaims, verifiedIn } from './kinds/claims.ts';
import { noProfile, type UpstreamIdentity } from './kinds/kind.ts';
import { attributesSchema, identifierSchema, type Mapping, mapIdentity } from './mapping.ts';

const longest = 16 * 1_024;
const claims = z
  .record(z.string().max(300), z.json())
  .refine(all => JSON.stringify(all).length <= longest, 'may be 16 kB at most');

type Parts = {
  connections: Connections;
  directory: Pick<ConnectionDirectory, 'speakerFor'>;
  identities: Pick<IdentityResolver, 'foresee'>;
};

const mapped = z.object({
  subject: z.string(),
  email: z.string().nullable(),
  displayName: z.string().nullable(),
});

export const previewClaims = ({ connections, directory, identities }: Parts) =>
  tenantRoute({
    method: 'post',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}:preview-claims',
    summary: 'What a mapping makes of these claims, without a person and before it is saved; nothing is changed',
    action: 'connections:read',
    body: z.strictObject({
      claims: claims.describe('As the provider says them: of a sign-in attempt, or made up'),
      subject: z.string().min(1).max(500).exactOptional().describe('The subject or NameID'),
      attributes: attributesSchema.exactOptional().describe('Those of the connection, where left out'),
      identifier: identifierSchema.nullable().exactOptional(),
    }),
    response: z.object({
      mapped: mapped.nullable(),
      person: foreseenIdentity.nullable().describe('What would become of them if they signed in now'),
      problem: z.string().nullable().describe('The cause by which a sign-in would fail (docs/sign-in-causes.md)'),
    }),
    async handle({ tenantId, params: { connectionId }, body, cause }) {
      const { state } = await readExisting(connections.in(tenantId), connectionId);
      const mapping: Mapping = {
        attributes: body.attributes ?? state.attributes,
        identifier: body.identifier === undefined ? state.identifier : body.identifier,
      };
      const { identity, problem } = outcomeOf(mapping, saying(state, body.claims, body.subject ?? null));
      const come = { tenantId, id: connectionId, connection: state };
      const person = identity && (await identities.foresee(await questionOf(directory, { ...come, identity }, cause)));
      return { body: { mapped: identity && mapped.parse(identity), person, problem } };
    },
  });

function outcomeOf(mapping: Mapping, said: UpstreamIdentity) {
  try {
    return { identity: mapIdentity(mapping, said), problem: null };
  } catch (error) {
    if (error instanceof StepError) return { identity: null, problem: error.step };
    throw error;
  }
}

/** What a kind takes by itself is the same for names that both protocols have. */
function saying(
  { issuer, kind }: Pick<Connection, 'issuer' | 'kind'>,
  said: Record<string, unknown>,
  subject: string | null,
): UpstreamIdentity {
  const bounded = boundedClaims(said);
  const text = (name: string) => (typeof said[name] === 'string' ? (said[name] as string) : null);
  return {
    issuer,
    subject: subject ?? text('sub') ?? text('nameId'),
    email: text('email'),
    // SAML has no word for it.
    emailVerified: kind === 'saml' ? null : verifiedIn(said),
    displayName: text('name'),
    profile: noProfile,
    amr: [],
    acr: null,
    authenticatedAt: null,
    sessionEndsAt: null,
    providerSession: null,
    claims: bounded.claims,
    claimsDropped: bounded.dropped,
  };
}
