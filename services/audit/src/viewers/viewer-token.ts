// A token with which a page of the product shows a tenant's own log to its admins: it reads, for an hour or a day, from the origins that it names, and
// can be revoked alone. Signed with the key of the log, so that nothing but this service takes it.
import { isId, ProblemError, type TenantId } from '@reeve/contracts';
import type { Caller } from '@reeve/service-kit';
import type { Clock, Collections, Store } from '@reeve/store';
import { importJWK, jwtVerify, SignJWT } from 'jose';
import type { SigningKey } from '../checkpoints/checkpoint-keys.ts';

export type Viewer = {
  name: string;
  origins: string[];
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
};
export type Viewers = Collections<Viewer>;

const type = 'reeve-viewer+jwt';
const algorithm = 'EdDSA';

export function defineViewers(store: Store): Viewers {
  return store.collections<Viewer>({
    name: 'audit_viewers',
    queries: { inOrder: { equality: [], direction: 'descending' } },
    expiresAt: ({ expiresAt }) => new Date(expiresAt),
  });
}

type Parts = { viewers: Viewers; signingKey: () => SigningKey; selfUrl: string; clock: Clock };

export async function signViewerToken(
  { signingKey, selfUrl, clock }: Parts,
  { tenantId, id, viewer }: { tenantId: TenantId; id: string; viewer: Viewer },
): Promise<string> {
  const key = signingKey();
  return new SignJWT({ tid: tenantId })
    .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: type })
    .setIssuer(selfUrl)
    .setAudience(selfUrl)
    .setSubject(id)
    .setIssuedAt(clock.now())
    .setExpirationTime(new Date(viewer.expiresAt))
    .sign(await importJWK(key, algorithm));
}

/** Whether it says that it is one; nothing is checked yet. */
export function looksLikeViewerToken(token: string): boolean {
  try {
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8')) as {
      typ?: unknown;
    };
    return header.typ === type;
  } catch {
    return false;
  }
}

/** Throws `token_invalid` for whatever is not a live token of ours. */
export async function readViewerToken(
  { viewers, signingKey, selfUrl, clock }: Parts,
  token: string,
): Promise<{ tenantId: TenantId; id: string; viewer: Viewer }> {
  const { d: _, ...publicPart } = signingKey();
  try {
    const { payload } = await jwtVerify(token, await importJWK(publicPart, algorithm), {
      issuer: selfUrl,
      audience: selfUrl,
      algorithms: [algorithm],
      typ: type,
      currentDate: clock.now(),
      requiredClaims: ['exp', 'iat', 'sub', 'tid'],
    });
    const { tid: tenantId, sub: id = '' } = payload;
    const found = isId('tenant', tenantId) ? await viewers.in(tenantId).get(id) : null;
    if (found && found.state.revokedAt === null) return { tenantId: tenantId as TenantId, id, viewer: found.state };
  } catch (cause) {
    if ((cause as { code?: string }).code?.startsWith('ERR_J') !== true) throw cause;
    throw new ProblemError('token_invalid', undefined, { cause });
  }
  throw new ProblemError('token_invalid');
}

export function callerOf({ tenantId, id }: { tenantId: TenantId; id: string }): Caller {
  return { type: 'client', id, tenantId, scopes: ['audit:view'], roles: [], clientId: id, sessionId: null };
}
