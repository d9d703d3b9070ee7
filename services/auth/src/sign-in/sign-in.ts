// A sign-in on its way: the provider's interaction and how far it has come, as one record. It is found by the id that
// is in the interaction's path, whose cookie binds it to the browser it began in.
import { randomUUID } from 'node:crypto';
import type { Id, SignInFailure, TenantId } from '@reeve/contracts';
import { type Clock, type PlatformRecords, platformRecords, type Versioned } from '@reeve/store';
import type { AdapterPayload } from 'oidc-provider';
import type { TraceEntry } from '../attempts/attempt.ts';
import type { Wish } from '../connections/kinds/kind.ts';
import type { KindName } from '../connections/kinds/registry.ts';
import type { MappedIdentity } from '../connections/mapping.ts';
import type { Said } from '../connections/rehearsal.ts';
import type { Level, StepUp } from '../factors/level.ts';
import { requestScope } from '../openid-provider/request-scope.ts';

export type StepName =
  | 'choose-home-realm'
  | 'go-to-provider'
  | 'return-from-provider'
  | 'confirm-link'
  | 'resolve-person'
  | 'second-factor'
  | 'begin-session';

/** Somebody whom the tenant knows, and when it was asked. */
type Person = {
  userId: Id<'user'>;
  email: string | null;
  emailVerified: boolean;
  displayName: string | null;
  roles: string[];
  /** Ids; absent for a sign-in from before there were any. */
  groups?: string[];
  lookedUpAt: string;
  /** Made by this sign-in. */
  isNew?: boolean;
};

/** By `enrol` of the application's request. */
export const enrollable = ['passkey', 'totp'] as const;
type Enrollable = (typeof enrollable)[number];

export type SignIn = {
  step: StepName;
  startedAt: string;
  /** The application: its id, in what kind of place people use it, and the tenant that it belongs to, if to one. */
  clientId: string;
  surface: string;
  boundTo: TenantId | null;
  /** What it asks for. */
  tenantAsked: string | null;
  connectionAsked: string | null;
  authKeyAsked: string | null;
  domainAsked: string | null;
  /** The person is signed in, and wants this sign-in linked to their account. */
  linkAsked: boolean;
  /** What of the `acr` is asked for, and the level of ours in it. */
  acrsAsked: string[];
  levelAsked: Level | null;
  /** The person wants a factor of that kind. */
  enrolAsked: Enrollable | null;
  /** Whose live session is to reach a level, without a sign-in at the provider; null where it begins there. */
  stepUpOf: string | null;
  wish: Wish;
  /** What the steps have found out. */
  tenantId: TenantId | null;
  connectionId: Id<'connection'> | null;
  /** The kind of the connection. */
  method: KindName | null;
  /** Of the connection's kind. */
  pending: unknown;
  /** The form that the provider had the browser post, until it is looked at. */
  brought: string | null;
  /** A hash of what only the browser knows that posted it: another one, that began the sign-in, has no use of it. */
  broughtBy: string | null;
  identity: MappedIdentity | null;
  /** What it was mapped of. */
  said: Said | null;
  /** The user whom the person was asked to link it to. */
  linkTo: Id<'user'> | null;
  person: Person | null;
  /** The level that was reached on the way. */
  stepUp: StepUp | null;
  /** Of the session that begins at its end, for what is told before. */
  sessionToBe: Id<'session'> | null;
  /** How it has gone so far, for the tenant's administrators. */
  trace: TraceEntry[];
};

export function newSignIn(
  asked: Pick<
    SignIn,
    | 'clientId'
    | 'surface'
    | 'boundTo'
    | 'tenantAsked'
    | 'connectionAsked'
    | 'authKeyAsked'
    | 'domainAsked'
    | 'linkAsked'
    | 'acrsAsked'
    | 'levelAsked'
    | 'enrolAsked'
    | 'stepUpOf'
    | 'wish'
    | 'startedAt'
  >,
): SignIn {
  const chosen = { tenantId: null, connectionId: null, method: null };
  const found = {
    pending: null,
    brought: null,
    broughtBy: null,
    identity: null,
    said: null,
    linkTo: null,
    person: null,
    stepUp: null,
    sessionToBe: null,
  };
  const step = asked.stepUpOf === null ? 'choose-home-realm' : 'second-factor';
  return { ...asked, ...chosen, ...found, trace: [], step };
}

type Row = {
  /** The provider's own, as JSON: it has keys, such as URLs, that are no names of fields. */
  interaction: string;
  /** Null before the first step, and after the last. */
  signIn: SignIn | null;
  /** Why it failed, for the application, when the person goes back there. */
  failedBy?: SignInFailure;
  /** More closely, for a page that embeds the assistant (docs/sign-in-causes.md). */
  failedFor?: string;
  /** What came back is looked at by this request. */
  takenBy?: string;
};

export const signIns = platformRecords<Row>({
  name: 'sign_ins',
  version: 2,
  // Version 1 knew of no levels.
  upgrade(stored) {
    const { signIn, ...row } = stored as Row;
    const ofLevels = {
      acrsAsked: [],
      levelAsked: null,
      enrolAsked: null,
      stepUpOf: null,
      sessionToBe: null,
      stepUp: null,
    };
    return { ...row, signIn: signIn && { ...ofLevels, ...signIn } };
  },
  reason: 'an identity provider returns nothing but the state, which names the sign-in',
});

type Found = Versioned<Row> | null;
/** Of what this request is about to write: no row in the store has it. */
const unknownVersion = 0;

type Brought = { by: KindName; connectionId: string; brought: string; broughtBy: string };

export type SignInRecords = ReturnType<typeof createSignInRecords>;

/** Nobody takes longer for signing in. */
export const signInSeconds = 900;

export function createSignInRecords({ records, clock }: { records: PlatformRecords<Row>; clock: Clock }) {
  const keyOf = (uid: string) => `sign-in ${uid}`;
  const soon = () => new Date(clock.now().getTime() + signInSeconds * 1_000);
  const found = (uid: string): Promise<Found> => requestScope().read(keyOf(uid), () => records.get(uid));
  const read = async (uid: string): Promise<Row | null> => (await found(uid))?.row ?? null;
  const remember = (uid: string, is: Found): void => requestScope().remember<Found>(keyOf(uid), is);

  function writeLater(uid: string, row: Row): void {
    remember(uid, { row, version: unknownVersion });
    requestScope().writeLater(keyOf(uid), () => records.put(uid, row, soon()));
  }

  return {
    /**
     * The sign-in that waits for what came back, once: the same may come to several instances. Null where it is looked
     * at already, or none waits for it: what is not meant for it does not use it up.
     */
    async takeReturn(uid: string, isMeant: (signIn: SignIn) => boolean): Promise<SignIn | null> {
      const takenBy = randomUUID();
      const isAwaited = ({ signIn, takenBy: taken }: Row): boolean =>
        signIn?.step === 'return-from-provider' && taken === undefined && isMeant(signIn);
      const kept = await records.change(
        uid,
        row => (row && isAwaited(row) ? { row: { ...row, takenBy }, expiresAt: soon() } : null),
        await found(uid),
      );
      if (kept?.row.takenBy !== takenBy) return null;
      const { takenBy: _, ...row } = kept.row;
      remember(uid, { row, version: kept.version });
      return row.signIn;
    },

    /** The sign-in that waits at that step for what a person says; null where none does. */
    async findAsking(uid: string, step: 'confirm-link' | 'second-factor'): Promise<SignIn | null> {
      const signIn = (await read(uid))?.signIn ?? null;
      return signIn?.step === step ? signIn : null;
    },

    async save(uid: string, signIn: SignIn | null): Promise<void> {
      const row = await read(uid);
      if (!row) return;
      // Whoever goes back begins anew, and what comes back then is looked at.
      const { takenBy: _, ...rest } = row;
      writeLater(uid, { ...rest, signIn });
    },

    /**
     * After a person's answer: what is asked next. False where the same answer has come twice, and by the other one the
     * person is signed in; that is not undone.
     */
    async saveUnlessEnded(uid: string, signIn: SignIn): Promise<boolean> {
      const kept = await records.change(
        uid,
        row => (row?.signIn ? { row: { ...row, signIn }, expiresAt: soon() } : null),
        await found(uid),
      );
      if (kept) remember(uid, kept);
      return kept?.row.signIn != null;
    },

    /** It is over: what came back may not be tried again. */
    async fail(uid: string, { step, cause }: { step: SignInFailure; cause: string }): Promise<void> {
      const row = await read(uid);
      if (row) writeLater(uid, { ...row, signIn: null, failedBy: step, failedFor: cause });
    },

    /** Null where it has not failed. */
    async failureOf(uid: string): Promise<{ step: SignInFailure; cause: string } | null> {
      const { failedBy: step, failedFor: cause = step } = (await read(uid)) ?? {};
      return step === undefined || cause === undefined ? null : { step, cause };
    },

    /**
     * Keeps what a browser posts until it comes back with the cookie that binds it to the sign-in, which no browser
     * sends along with another site's form. False where no sign-in waits for that connection.
     */
    async bring(uid: string, { by, connectionId, brought, broughtBy }: Brought): Promise<boolean> {
      const isAwaited = (signIn: SignIn | null | undefined): signIn is SignIn =>
        signIn?.step === 'return-from-provider' && signIn.method === by && signIn.connectionId === connectionId;
      const kept = await records.change(uid, row =>
        row && isAwaited(row.signIn)
          ? { row: { ...row, signIn: { ...row.signIn, brought, broughtBy } }, expiresAt: soon() }
          : null,
      );
      return isAwaited(kept?.row.signIn);
    },

    async findInteraction(uid: string): Promise<AdapterPayload | undefined> {
      const row = await read(uid);
      return row ? (JSON.parse(row.interaction) as AdapterPayload) : undefined;
    },

    /** A new one is not there yet, and is not looked for. */
    async saveInteraction(uid: string, payload: AdapterPayload): Promise<void> {
      const row = payload.result ? await read(uid) : null;
      writeLater(uid, { interaction: JSON.stringify(payload), signIn: row?.signIn ?? null });
    },

    /** The provider goes on from it and removes it; what it leaves is there again when the request ends. */
    async takeUp(uid: string): Promise<void> {
      const row = await records.take(uid);
      if (row) writeLater(uid, row);
      else remember(uid, null);
    },

    async remove(uid: string): Promise<void> {
      remember(uid, null);
      requestScope().writeLater(keyOf(uid), () => records.remove(uid));
    },
  };
}
