// A token with which a page of the product shows a tenant's own log to its admins: it reads, for an hour or a day,
// from the origins that it names, can be revoked alone, and does not outlive its maker. Signed with the key of the log,
// so that nothing but this service takes it.
import { event, type Id, isCanonicalJws, isId, ProblemError, type TenantId } from '@reeve/contracts';
import type { Caller, VerifyToken } from '@reeve/service-kit';
import { type Clock, type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { decodeProtectedHeader, errors, importJWK, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import type { SigningKey, SigningKeys } from '../log/signing-key.ts';
import { type MakerEnd, type MakerEnds, outlives } from './maker-end.ts';

export type Viewer = {
  name: string;
  origins: string[];
  /** Whose it is; null for one from before that was kept. */
  createdBy: string | null;
  createdAt: string;
  expiresAt: string;
  revokedAt: string | null;
};
export type Viewers = Collections<Viewer>;

export type ViewerParts = {
  viewers: Viewers;
  makerEnds: MakerEnds;
  signingKey: () => SigningKey;
  trustedKey: SigningKeys['trusted'];
  selfUrl: string;
  clock: Clock;
};

export const viewersPath = '/v1/tenants/{tenantId}/audit/viewer-tokens' as const;

export const viewerView = z.object({
  id: z.string(),
  name: z.string(),
  origins: z.array(z.string()),
  createdBy: z.string().nullable().describe('The person or client that made it'),
  createdAt: z.string(),
  expiresAt: z.string(),
  revokedAt: z.string().nullable().describe('Also when whoever made it may make none any more'),
});

export const viewers = collection<Viewer>({
  name: 'audit_viewers',
  version: 2,
  // Version 1 did not keep the maker.
  upgrade: state => ({ createdBy: null, ...(state as Omit<Viewer, 'createdBy'>) }),
  queries: { inOrder: { equality: [], direction: 'descending' } },
  expiresAt: ({ expiresAt }) => new Date(expiresAt),
});

type ViewerView = z.infer<typeof viewerView>;

export const viewOf = ({ id, state }: Entry<Viewer>, end?: MakerEnd): ViewerView => ({
  id,
  ...state,
  revokedAt: state.revokedAt ?? (end && outlives(state, end) ? end.endedAt : null),
});

type ViewerId = Id<'viewer'>;

const about = (id: ViewerId, { name, origins, expiresAt }: Viewer) =>
  ({ id, name, because: 'requested', details: { origins, expiresAt } }) as const;

export const create = (id: ViewerId, state: Viewer): NonNullable<Decision<Viewer>> => ({
  state,
  events: [event('viewer_token.created', about(id, state))],
});

export function revoke(id: ViewerId, viewer: Viewer, at: Date): Decision<Viewer> {
  if (viewer.revokedAt !== null) return null;
  const state = { ...viewer, revokedAt: at.toISOString() };
  return { state, events: [event('viewer_token.revoked', about(id, viewer))] };
}

const type = 'reeve-viewer+jwt';
const algorithm = 'EdDSA';

export async function signViewerToken(
  { signingKey, selfUrl }: ViewerParts,
  { tenantId, id, viewer }: { tenantId: TenantId; id: string; viewer: Viewer },
): Promise<string> {
  const key = signingKey();
  return new SignJWT({ tid: tenantId })
    .setProtectedHeader({ alg: algorithm, kid: key.kid, typ: type })
    .setIssuer(selfUrl)
    .setAudience(selfUrl)
    .setSubject(id)
    .setIssuedAt(new Date(viewer.createdAt))
    .setExpirationTime(new Date(viewer.expiresAt))
    .sign(await importJWK(key, algorithm));
}

/** Whether it says that it is one; nothing is checked yet. */
function isMeantAsViewerToken(token: string): boolean {
  try {
    return decodeProtectedHeader(token).typ === type;
  } catch {
    return false;
  }
}

/** Throws `token_invalid` for whatever is not a live token of ours. */
async function readViewerToken(parts: ViewerParts, token: string, cameAt = parts.clock.now()): Promise<Caller> {
  const { viewers, makerEnds, trustedKey, selfUrl } = parts;
  try {
    if (!isCanonicalJws(token)) throw new ProblemError('token_invalid');
    // One that was made before another key followed counts to its end.
    const key = trustedKey(decodeProtectedHeader(token).kid);
    if (!key) throw new ProblemError('token_invalid');
    const { payload } = await jwtVerify(token, await importJWK(key, algorithm), {
      issuer: selfUrl,
      audience: selfUrl,
      algorithms: [algorithm],
      typ: type,
      currentDate: cameAt,
      requiredClaims: ['exp', 'iat', 'sub', 'tid'],
    });
    const { tid: tenantId, sub: id = '' } = payload;
    const found = isId('tenant', tenantId) ? await viewers.in(tenantId).get(id) : null;
    if (!isId('tenant', tenantId) || found?.state.revokedAt !== null) throw new ProblemError('token_invalid');
    const { createdBy } = found.state;
    const end = createdBy === null ? null : await makerEnds.in(tenantId).get(createdBy);
    if (end && outlives(found.state, end.state)) throw new ProblemError('token_invalid');
    return callerOf(tenantId, found);
  } catch (cause) {
    if (cause instanceof errors.JOSEError) throw new ProblemError('token_invalid', undefined, { cause });
    throw cause;
  }
}

const callerOf = (tenantId: TenantId, { id, state: { origins } }: Entry<Viewer>): Caller => ({
  type: 'client',
  id,
  tenantId,
  scopes: ['audit:view'],
  roles: [],
  platform: false,
  clientId: id,
  sessionId: null,
  acr: null,
  authenticatedAt: null,
  clientTokensFrom: null,
  surface: null,
  origins,
});

/** Takes viewer tokens beside the access tokens of the issuer. */
export const orViewer =
  (parts: ViewerParts, verifyToken: VerifyToken): VerifyToken =>
  (token, cameAt) =>
    isMeantAsViewerToken(token) ? readViewerToken(parts, token, cameAt) : verifyToken(token, cameAt);
