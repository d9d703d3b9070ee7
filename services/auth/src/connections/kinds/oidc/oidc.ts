// OpenID Connect. What was discovered is pinned when the connection is made: a later change of the discovery document
// cannot move our users to other endpoints or keys. The client secret is in the vault.
import { type Cause, ProblemError, resolveIdentityRequest, serviceCause, textSchema } from '@reeve/contracts';
import {
  createRelyingParty,
  discover,
  type Fetch,
  type Pending,
  type Registration,
  StepError,
  serverMetadata,
} from '@reeve/relying-party';
import type { Vault } from '@reeve/vault';
import { LRUCache } from 'lru-cache';
import * as client from 'openid-client';
import { z } from 'zod';
import { type At, type ConnectionKind, connectionSecretClass, type UpstreamIdentity } from '../kind.ts';

const input = z.strictObject({
  issuer: z.url({ protocol: /^https?$/ }).max(500),
  clientId: z.string().min(1).max(200),
  clientSecret: z.string().min(1).max(500),
});
const change = z.strictObject({
  issuer: input.shape.issuer.exactOptional(),
  clientId: input.shape.clientId.exactOptional(),
  clientSecret: input.shape.clientSecret.exactOptional(),
});
const view = z.object({ issuer: z.string(), clientId: z.string() });
const settingsSchema = z.object({ metadata: serverMetadata, clientId: z.string() });

const scope = 'openid email profile';
const secretKeptMs = 300_000;
/** What stands in our own tokens and in events is not as long as a provider likes. */
const mostMethods = 20;
const method = textSchema(100);

type Parts = { vault: Vault; fetch: Fetch; ownIssuer: string };

export function oidc({ vault, fetch, ownIssuer }: Parts): ConnectionKind {
  const relyingParty = createRelyingParty({ fetch });
  const secrets = new LRUCache<string, string>({ max: 1_000, ttl: secretKeptMs });
  const callbackPath = (connectionId: string) => `/oidc/${connectionId}/callback`;

  /** Kept for each version of the connection, since every reading is on the record. */
  async function secretOf({ tenantId, id, version, cause }: At): Promise<string> {
    const key = `${tenantId} ${id} ${version}`;
    const known = secrets.get(key);
    if (known !== undefined) return known;
    // It is this service that reads, in the course of somebody's sign-in.
    const { actor } = serviceCause('auth', { correlationId: cause.correlationId });
    const reader: Cause = { ...cause, actor };
    const ref = { secretClass: connectionSecretClass, id };
    const secret = (await vault.read(tenantId, ref, { cause: reader, purpose: 'sign_in' })).toString('utf8');
    secrets.set(key, secret);
    return secret;
  }

  function registrationOf({ id, settings }: At): Omit<Registration, 'clientSecret'> {
    const { metadata, clientId } = settingsSchema.parse(settings);
    return { metadata, clientId, redirectUri: ownIssuer + callbackPath(id) };
  }

  return {
    input,
    change,
    view,

    async prepare(given, current) {
      const { issuer, clientId, clientSecret } = change.parse(given);
      const known = current === null ? null : settingsSchema.parse(current);
      const metadata = issuer === undefined ? known?.metadata : await discover(issuer, { fetch });
      const settings = { metadata, clientId: clientId ?? known?.clientId };
      const parsed = settingsSchema.parse(settings);
      return { settings: parsed, issuer: parsed.metadata.issuer, secret: clientSecret ?? null };
    },

    viewOf(settings) {
      const { metadata, clientId } = settingsSchema.parse(settings);
      return { issuer: metadata.issuer, clientId };
    },

    begin(at, { signInId, wish }) {
      const { loginHint, maxAgeSeconds, acrValues, again } = wish;
      return relyingParty.begin(registrationOf(at), {
        scope,
        state: `${signInId}.${client.randomState()}`,
        ...(again ? { prompt: 'login' } : {}),
        ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
        ...(loginHint === undefined ? {} : { loginHint }),
        ...(acrValues === undefined ? {} : { acrValues }),
      });
    },

    async complete(at, { pending, query }) {
      const registration = { ...registrationOf(at), clientSecret: await secretOf(at) };
      const { claims } = await relyingParty.complete(registration, { pending: pending as Pending, query });
      return identityOf(claims);
    },

    callbackPath,

    signInIdOf({ state }) {
      return (typeof state === 'string' ? /^([\w-]{10,60})\./.exec(state)?.[1] : null) ?? null;
    },

    async test(settings) {
      const { metadata } = settingsSchema.parse(settings);
      const now = await discover(metadata.issuer, { fetch });
      const moved = (Object.keys(metadata) as (keyof typeof metadata)[]).filter(
        name => /_endpoint$|^jwks_uri$/.test(name) && now[name] !== metadata[name],
      );
      if (moved.length > 0)
        throw new ProblemError(
          'connection_unreachable',
          `the discovery document has another ${moved.join(', ')} than when the connection was made; set the issuer again to take it`,
        );
      const keys = await fetch(metadata.jwks_uri).catch(() => null);
      if (keys?.status !== 200) throw new ProblemError('connection_unreachable', 'its keys could not be fetched');
    },

    // A client secret may end, but nobody tells us when.
    expiresAt: () => null,
  };
}

/** What is not as we take it counts as not said. */
const takenAs = <T>(schema: z.ZodType<T>, claim: unknown): T | null => schema.safeParse(claim).data ?? null;

/** Without what provisioning would refuse: that would look like a fault of ours. */
function identityOf(claims: client.IDToken): UpstreamIdentity {
  const { iss, amr, auth_time: authTime } = claims;
  const taken = resolveIdentityRequest.shape;
  const subject = takenAs(taken.subject, claims.sub);
  if (subject === null) throw new StepError('id_token_claims');
  const verified = claims['email_verified'];
  return {
    issuer: iss,
    subject,
    email: takenAs(taken.email, claims['email']),
    // Some providers write it as a text; whatever else it may be is no yes.
    emailVerified: verified === undefined ? null : verified === true || verified === 'true',
    displayName: takenAs(taken.displayName, claims['name']),
    amr: Array.isArray(amr) ? amr.flatMap(one => takenAs(method, one) ?? []).slice(0, mostMethods) : [],
    acr: takenAs(textSchema(200), claims['acr']),
    authenticatedAt: typeof authTime === 'number' ? new Date(authTime * 1_000).toISOString() : null,
  };
}
