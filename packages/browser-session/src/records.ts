// What is kept of browser sessions, in the store of the service that has the pages.
import { createHash, randomBytes } from 'node:crypto';
import type { Id, TenantId } from '@reeve/contracts';
import type { Pending } from '@reeve/relying-party';
import { platformRecords } from '@reeve/store';

/** Somebody who is signed in at a browser, as the issuer's ID token has them. */
export type Session = {
  userId: Id<'user'>;
  tenantId: TenantId;
  name: string;
  /** Of the session at the issuer. */
  sid: Id<'session'>;
  csrf: string;
};

type SignIn = {
  pending: Pending;
  tenantId: TenantId | null;
  /** A path of ours, and its query. */
  returnTo: string;
  /** Which browser it began in: a hash of what its cookie holds. */
  browser: string;
};

/** By a hash of what the cookie holds: whoever reads the database is signed in nowhere. */
export const sessionRecords = platformRecords<Session>({
  name: 'browser_sessions',
  reason: 'a cookie is an opaque value that says nothing of a tenant',
  keys: ['sid', 'userId'],
});

export const signInRecords = platformRecords<SignIn>({
  name: 'browser_sign_ins',
  reason: 'our issuer returns nothing but `state`',
});

/** What browser sessions keep in the store of their service. */
export const browserSessionRecords = [sessionRecords, signInRecords] as const;

export const newSecret = (): string => randomBytes(32).toString('base64url');

export const hashOf = (secret: string): string => createHash('sha256').update(secret).digest('base64url');
