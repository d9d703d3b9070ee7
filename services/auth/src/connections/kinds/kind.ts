// A kind of connection is a module: what its settings are, which of them is secret, how a sign-in begins and ends by
// it, whether it works, and when something of it expires. Nothing outside kinds/ knows more of a protocol than its
// name. A new kind is a folder here and a line in registry.ts.
import type { Cause, Id, TenantId } from '@reeve/contracts';
import type { Page, Route } from '@reeve/service-kit';
import type { JWTPayload } from 'jose';
import type { z } from 'zod';
import type { Expiry } from '../expiry.ts';
import type { Stage } from './checks.ts';
import type { Clause } from './clause.ts';

/** In the vault: what a kind keeps secret of a connection. */
export const connectionSecretClass = 'connection-client-secret';
/** In place of an issuer, where its provider has not been named yet. */
export const unknownIssuer = 'not set';

/** What else applications like to know of a person. */
export type Profile = { givenName: string | null; familyName: string | null; locale: string | null };

export const noProfile: Profile = { givenName: null, familyName: null, locale: null };

/** Who somebody is, in the words of their identity provider. */
export type UpstreamIdentity = {
  issuer: string;
  /** Null where the provider names nobody for longer than a session. */
  subject: string | null;
  email: string | null;
  /** As the provider says it; null when it says nothing. */
  emailVerified: boolean | null;
  displayName: string | null;
  profile: Profile;
  amr: string[];
  acr: string | null;
  /** When the person signed in there, where the provider says it. ISO 8601. */
  authenticatedAt: string | null;
  /** When the provider wants our session to be over, where it says so. ISO 8601. */
  sessionEndsAt: string | null;
  /** The provider's own session, for when one of us ends it. */
  providerSession: ProviderSession | null;
  /** All that it says of the person, by its own names, for the connection's mapping: JSON, bounded in size and form. */
  claims: Readonly<Record<string, unknown>>;
  /** Names of what it said that did not fit. */
  claimsDropped: string[];
};

/** A session as its provider names it. */
export type ProviderSession = {
  subject: string;
  /** Which of the subject's, where the provider tells them apart. */
  id: string | null;
  /** What else its kind needs to end it. */
  details: Readonly<Record<string, string | null>>;
};

/** What an application wants of a sign-in, for the provider to heed. */
export type Wish = {
  loginHint?: string;
  maxAgeSeconds?: number;
  acrValues?: string;
  /** Languages, the one that is liked best first (BCP 47). */
  uiLocales?: string;
  /** The person has to be asked which of their accounts it is. */
  selectAccount?: boolean;
  /** The person has to sign in once more, although they may be signed in there. */
  again: boolean;
  /** The application itself asks for that: an earlier sign-in there does not do. */
  isDemanded: boolean;
};

/** A connection, as its kind needs it. */
export type At = {
  tenantId: TenantId;
  id: Id<'connection'>;
  /** Of the secret that belongs to the settings, in the vault. */
  secretName: string;
  settings: unknown;
  cause: Cause;
};

/** Settings that were read from what a caller gave, ready to be stored. */
type Prepared = {
  settings: unknown;
  issuer: string;
  secret: string | null;
  /** What the provider says of itself was read for it, and so is accepted by whoever gave it. */
  isReadAnew: boolean;
};

/** Settings after what the provider says of itself was read again. */
export type Refreshed = {
  settings: unknown;
  /** What is not the same any more and is to be told; nothing where only the time until which it counts has moved. */
  changed: string[];
  certificatesAdded: string[];
  certificatesRemoved: string[];
};

/** Publish: others can read the new key. Use: we sign by it. Finish: the old one is gone. */
export const rotationSteps = ['publish', 'use', 'finish'] as const;
export type RotationStep = (typeof rotationSteps)[number];

/** Finds a connection of the kind by its id alone, active or not; null for one that nobody has. */
export type FindConnection = (id: string) => Promise<At | null>;

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
  viewOf(settings: unknown, connectionId: string): unknown;

  /**
   * Where to send the browser: an address, or a page whose form leads there. `pending` is kept with the sign-in until
   * it returns; `signInId` has to be found in what returns.
   */
  begin(at: At, asked: { signInId: string; wish: Wish }): Promise<{ leaveFor: string | Page; pending: unknown }>;
  /**
   * Who came back. `brought` is what the browser brings: a query, or a form in the same writing. `wantedClaims` are
   * looked for wherever the kind can ask, an address and a name where it is left out. Throws StepError.
   */
  complete(
    at: At,
    returned: { pending: unknown; brought: string; wantedClaims?: readonly string[] },
  ): Promise<UpstreamIdentity>;

  /** Where a provider of the kind sends the browser back to, below the issuer, and how. */
  callbackPath(connectionId: string): string;
  callbackMethod: 'get' | 'post';
  /** The sign-in that something which returns belongs to. */
  signInIdOf(brought: URLSearchParams): string | null;
  /**
   * What came although nobody here had asked: held to the same rules, and nobody is signed in by it. Returns the
   * application that is to begin a sign-in. Throws StepError.
   */
  takeUnsolicited?(at: At, brought: string): Promise<{ clientId: string }>;
  /** Where sessions are ended together with the provider's. */
  logout?: KindLogout;
  /** What its provider says of people when nobody signs in. */
  signals: KindSignals;
  /** What else is served for its connections, such as a document for the provider to read. */
  routes?(find: FindConnection): Route[];

  /**
   * Who a token is of that the provider has made for an audience and that a program brings, such as a bot. Throws
   * StepError. Absent where providers of the kind make no such tokens.
   */
  readBrought?(
    at: At,
    brought: { token: string; audience: string; parties: readonly string[] },
  ): Promise<UpstreamIdentity>;

  /** What `complete` looks at, in its order. */
  checks: readonly Stage[];
  /** Throws `connection_incomplete` for what nobody can sign in by yet. */
  assertComplete?(settings: unknown): void;
  /** Tries it without a person. Throws ProblemError saying what is wrong. */
  test(settings: unknown): Promise<void>;
  /** How it stands with IPSIE's session levels, in what belongs to the protocol. */
  clauses(settings: unknown): Clause[];
  /** What of it ends by itself, such as a certificate. */
  expiries(settings: unknown): Expiry[];
  /** For settings that say where the provider describes itself. */
  refresh?: {
    isOn(settings: unknown): boolean;
    /**
     * Reads it again. Throws ProblemError where that fails, or where it is not to be taken without an administrator.
     */
    read(settings: unknown): Promise<Refreshed>;
  };
  /**
   * A step of changing the key that is ours. The secret is null where it stays as it is. Throws `key_rotation_state`,
   * or `connection_unsupported` for settings without a key.
   */
  rotateKey?(
    settings: unknown,
    asked: { step: RotationStep; readSecret: () => Promise<string> },
  ): Promise<{ settings: unknown; secret: string | null }>;
  /**
   * Former settings for an administrator who wants them back. What belongs to the secret is as in the present ones,
   * since the secret is. Throws ProblemError for what would not be taken now.
   */
  restore(former: unknown, current: unknown): unknown;
};

type KindSignals = {
  /** Where it publishes the keys that it signs by, and as whom; null where it publishes none for that. */
  keys(settings: unknown): { issuer: string; jwksUri: string } | null;
  /** What the provider calls us, and so says of whom it speaks to; null where it has no name for us. */
  ourName(settings: unknown): string | null;
  /** The claims of a JWT of this type that the provider has signed. Throws StepError for any other. */
  read(at: At, signed: { token: string; type: string }): Promise<JWTPayload>;
};

export type KindLogout = {
  /** Where the provider sends the browser to, below the issuer. */
  path(connectionId: string): string;
  /** What it says there. Throws StepError for what it has not said, or not to us. */
  read(at: At, came: { method: 'get' | 'post'; brought: string }): Promise<ProviderLogout>;
  /** Where the browser goes once our session is over; null where the provider's goes on. */
  begin(at: At, session: ProviderSession, returnId: string): Promise<string | null>;
};

type ProviderLogout =
  /**
   * These sessions of the subject are over there; all of them where it names none. Once they are over here, `done` has
   * to be called, after which the same is not heard again: until then it may be said again by whoever got no answer.
   */
  | { ended: { subject: string; ids: readonly string[] }; answer: string; done: () => Promise<void> }
  /** What we asked for is done; `returnId` is ours. */
  | { returnId: string };
