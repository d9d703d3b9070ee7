// A sign-in on its way: the provider's interaction and how far it has come, as one record. It is found by the id that
// is in the interaction's path, whose cookie binds it to the browser it began in.
import type { Id, TenantId } from '@reeve/contracts';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import type { AdapterPayload } from 'oidc-provider';
import type { UpstreamIdentity, Wish } from '../connections/kinds/kind.ts';
import type { KindName } from '../connections/kinds/registry.ts';
import { requestScope } from '../openid-provider/request-scope.ts';

export type StepName =
  | 'choose-tenant'
  | 'choose-connection'
  | 'go-to-provider'
  | 'return-from-provider'
  | 'resolve-person'
  | 'begin-session';

/** Somebody whom the tenant knows, and when it was asked. */
type Person = {
  userId: Id<'user'>;
  email: string | null;
  displayName: string | null;
  roles: string[];
  lookedUpAt: string;
};

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
  wish: Wish;
  /** What the steps have found out. */
  tenantId: TenantId | null;
  connectionId: Id<'connection'> | null;
  /** The kind of the connection. */
  method: KindName | null;
  /** Of the connection's kind. */
  pending: unknown;
  identity: UpstreamIdentity | null;
  person: Person | null;
};

export function newSignIn(
  asked: Pick<SignIn, 'clientId' | 'surface' | 'boundTo' | 'tenantAsked' | 'connectionAsked' | 'wish' | 'startedAt'>,
): SignIn {
  const nothing = { tenantId: null, connectionId: null, method: null, pending: null, identity: null, person: null };
  return { ...asked, ...nothing, step: 'choose-tenant' };
}

type Row = {
  /** The provider's own, as JSON: it has keys, such as URLs, that are no names of fields. */
  interaction: string;
  /** Null before the first step, and after the last. */
  signIn: SignIn | null;
};

export const signIns = platformRecords<Row>({
  name: 'sign_ins',
  reason: 'an identity provider returns nothing but the state, which names the sign-in',
});

export type SignInRecords = ReturnType<typeof createSignInRecords>;

/** Nobody takes longer for signing in. */
export const signInSeconds = 900;

export function createSignInRecords({ records, clock }: { records: PlatformRecords<Row>; clock: Clock }) {
  const keyOf = (uid: string) => `sign-in ${uid}`;
  const soon = () => new Date(clock.now().getTime() + signInSeconds * 1_000);
  const read = (uid: string): Promise<Row | null> =>
    requestScope().read(keyOf(uid), async () => (await records.get(uid))?.row ?? null);

  function writeLater(uid: string, row: Row): void {
    requestScope().remember<Row | null>(keyOf(uid), row);
    requestScope().writeLater(keyOf(uid), () => records.put(uid, row, soon()));
  }

  return {
    async find(uid: string): Promise<SignIn | null> {
      return (await read(uid))?.signIn ?? null;
    },

    async save(uid: string, signIn: SignIn | null): Promise<void> {
      const row = await read(uid);
      if (row) writeLater(uid, { ...row, signIn });
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
      else requestScope().remember<Row | null>(keyOf(uid), null);
    },

    async remove(uid: string): Promise<void> {
      requestScope().remember<Row | null>(keyOf(uid), null);
      requestScope().writeLater(keyOf(uid), async () => undefined);
    },
  };
}
