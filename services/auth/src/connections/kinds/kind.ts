// A kind of connection is a module: what its settings are, which of them is secret, how a sign-in begins and ends by
// it, whether it works, and when something of it expires. Nothing outside kinds/ knows more of a protocol than its
// name. A new kind is a folder here and a line in registry.ts.
import type { Cause, Id, TenantId } from '@reeve/contracts';
import type { z } from 'zod';

/** In the vault: what a kind keeps secret of a connection, under the id of the connection. */
export const connectionSecretClass = 'connection-client-secret';

/** Who somebody is, in the words of their identity provider. */
export type UpstreamIdentity = {
  issuer: string;
  subject: string;
  email: string | null;
  /** As the provider says it; null when it says nothing. */
  emailVerified: boolean | null;
  displayName: string | null;
  amr: string[];
  acr: string | null;
  /** When the person signed in there, where the provider says it. ISO 8601. */
  authenticatedAt: string | null;
};

/** What an application wants of a sign-in, for the provider to heed. */
export type Wish = {
  loginHint?: string;
  maxAgeSeconds?: number;
  acrValues?: string;
  /** The person has to sign in once more, although they may be signed in there. */
  again: boolean;
  /** The application itself asks for that: an earlier sign-in there does not do. */
  isDemanded: boolean;
};

/** A connection, as its kind needs it. */
export type At = { tenantId: TenantId; id: Id<'connection'>; version: number; settings: unknown; cause: Cause };

/** Settings that were read from what a caller gave, ready to be stored. */
type Prepared = { settings: unknown; issuer: string; secret: string | null };

export type ConnectionKind = {
  /** What a caller gives under the name of the kind. */
  input: z.ZodType;
  /** The same for a change of some of it. */
  change: z.ZodType;
  /** What a caller sees of it. */
  view: z.ZodType;

  /**
   * Checks what was given, with the world where it has to. Throws ProblemError. The secret is null when a change leaves
   * it as it is.
   */
  prepare(given: unknown, current: unknown): Promise<Prepared>;
  viewOf(settings: unknown): unknown;

  /**
   * Where to send the browser. `pending` is kept with the sign-in until it returns; `signInId` has to be found in what
   * returns.
   */
  begin(at: At, asked: { signInId: string; wish: Wish }): Promise<{ url: string; pending: unknown }>;
  /** Who came back. `query` is what the browser brought, from the `?` on. Throws StepError. */
  complete(at: At, returned: { pending: unknown; query: string }): Promise<UpstreamIdentity>;

  /** Where a provider of the kind sends the browser back to, below the issuer. */
  callbackPath(connectionId: string): string;
  /** The sign-in that something which returns belongs to. */
  signInIdOf(query: Readonly<Record<string, unknown>>): string | null;

  /** Tries it without a person. Throws ProblemError saying what is wrong. */
  test(settings: unknown): Promise<void>;
  /** When something of it ends by itself, such as a certificate. */
  expiresAt(settings: unknown): Date | null;
};
