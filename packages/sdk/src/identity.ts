// Who calls, as a verified token says it (RFC 9068).
import type { JWTPayload } from 'jose';
import { ReeveError } from './errors.ts';

export type Identity = {
  /** The person, or the application where it acts for itself. */
  sub: string;
  /** Null only where `allowWithoutTenant` is set. */
  tenantId: string | null;
  clientId: string;
  /** Of the session at the issuer; null for an application that acts for itself. */
  sessionId: string | null;
  isMachine: boolean;
  scopes: readonly string[];
  /** Those of now where revocations are followed and the API's tokens have roles. */
  roles: readonly string[];
  /** As the roles: ids of groups of the tenant. */
  groups: readonly string[];
  acr: string | null;
  /** When the person signed in. */
  authenticatedAt: Date | null;
  expiresAt: Date;
  /** The thumbprint (RFC 7638) of the key that the token is bound to (RFC 9449). */
  boundTo: string | null;
  /** Everything that the token says. */
  claims: JWTPayload;
};

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter(one => typeof one === 'string') : []);

/** A way of binding that is not known here is none that could be checked. */
function keyOf({ cnf }: JWTPayload): string | null {
  if (cnf === undefined) return null;
  const jkt = typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? text(cnf.jkt) : null;
  if (jkt === null) throw new ReeveError('token_invalid', 'it is bound in a way that is not known');
  return jkt;
}

export function identityOf(claims: JWTPayload, { allowWithoutTenant }: { allowWithoutTenant: boolean }): Identity {
  const sub = text(claims.sub);
  const clientId = text(claims['client_id']);
  const tenantId = text(claims['tid']);
  if (sub === null || clientId === null || text(claims.jti) === null)
    throw new ReeveError('token_invalid', 'sub, client_id or jti is missing');
  if (tenantId === null && (!allowWithoutTenant || claims['tid'] !== undefined))
    throw new ReeveError('token_invalid', 'it is of no tenant');
  const authTime = claims['auth_time'];
  return {
    sub,
    tenantId,
    clientId,
    sessionId: text(claims['sid']),
    isMachine: sub === clientId,
    scopes: (text(claims['scope']) ?? '').split(' ').filter(one => one !== ''),
    roles: texts(claims['roles']),
    groups: texts(claims['groups']),
    acr: text(claims['acr']),
    authenticatedAt: typeof authTime === 'number' ? new Date(authTime * 1_000) : null,
    expiresAt: new Date(Number(claims.exp) * 1_000),
    boundTo: keyOf(claims),
    claims,
  };
}
