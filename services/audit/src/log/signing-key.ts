// The key that signs what is said of logs, and the one that is to follow it, in the vault under the platform's tenant.
// Every instance has the same ones, and learns within seconds that one has followed another. Public keys are kept for
// good, since what an old one signed has to verify for as long as somebody holds it.
import type { KeySet } from '@reeve/audit-log';
import {
  type Cause,
  event,
  newEventId,
  ProblemError,
  platformTenantId,
  type ReasonOf,
  serviceCause,
} from '@reeve/contracts';
import { type Contents, collection, createRounds, type Decision, type Store } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';

export type SigningKey = JWK & { kid: string };
export type SigningKeys = ReturnType<typeof createSigningKeys>;

/** `keyId` signs until `next` does. A release that knows no `next` goes on with `keyId`, which verifies as well. */
type Current = { keyId: string; next?: { keyId: string; activeFrom: string } | null };
/** Since `compromisedAt` others may have it. */
type Published = { jwk: SigningKey; since: string; compromisedAt?: string };

const currentKeys = collection<Current>({ name: 'audit_signing_keys' });
const publishedKeys = collection<Published>({
  name: 'audit_public_keys',
  queries: { inOrder: { equality: [] } },
});

export const signingKeyCollections = [currentKeys, publishedKeys] satisfies Contents['collections'];

const secretClass = 'audit-signing-key';
const use = 'checkpoints';
const algorithm = 'EdDSA';
const lookedAtEveryMs = 2_000;
/** After that no instance signs by the one before, however late it learnt of the next. */
const settledAfterMs = 3_600_000;

async function newKey(): Promise<{ whole: SigningKey; publicPart: SigningKey }> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(jwk);
  const { d: _, ...publicPart } = jwk;
  return { whole: { ...jwk, kid }, publicPart: { ...publicPart, kid, alg: algorithm, use: 'sig' } };
}

const isActive = ({ next }: Current, now: Date) => next != null && next.activeFrom <= now.toISOString();
const signingIn = (state: Current, now: Date): string =>
  isActive(state, now) && state.next ? state.next.keyId : state.keyId;

type Following = { keyId: string; at: Date; because: ReasonOf<'signing_key.rotated'>; leadMs: number };

/** Throws `signing_key_waiting` while another one is to follow already, unless the present one is compromised. */
function follow(state: Current | null, { keyId, at, because, leadMs }: Following): Decision<Current> {
  const isWaiting = state?.next != null && !isActive(state, at);
  if (isWaiting && because !== 'compromised') throw new ProblemError('signing_key_waiting');
  const activeFrom = new Date(at.getTime() + (because === 'compromised' ? 0 : leadMs)).toISOString();
  const details = { keyId, algorithm, ...(state ? { activeFrom } : {}) };
  return {
    state: state ? { keyId: signingIn(state, at), next: { keyId, activeFrom } } : { keyId },
    events: [event('signing_key.rotated', { id: keyId, name: use, because, details })],
  };
}

export function createSigningKeys({ store, vault }: { store: Store; vault: Vault }) {
  const current = store.collection(currentKeys).in(platformTenantId);
  const published = store.collection(publishedKeys).in(platformTenantId);
  const { clock } = store;
  const opened = new Map<string, SigningKey>();
  const shown = new Map<string, Published>();
  /** Whose private part is gone. */
  const emptied = new Set<string>();
  let state: Current | undefined;
  const ownCause = () => serviceCause('audit', { correlationId: newEventId() });

  async function open(id: string): Promise<void> {
    if (opened.has(id)) return;
    const secret = await vault.read(platformTenantId, { secretClass, id }, { cause: ownCause(), purpose: 'start' });
    opened.set(id, JSON.parse(secret.toString('utf8')) as SigningKey);
  }

  async function read(): Promise<void> {
    for await (const { id, state: one } of published.all('inOrder', {})) shown.set(id, one);
    const found = (await current.get(use))?.state;
    if (!found) return;
    await open(signingIn(found, clock.now()));
    if (found.next) await open(found.next.keyId);
    state = found;
  }

  /**
   * Two instances may do so at once: each stores a key, one is chosen, the other is removed before it signed anything.
   */
  async function make(because: ReasonOf<'signing_key.rotated'>, cause: Cause, leadMs: number): Promise<void> {
    const { whole, publicPart } = await newKey();
    const { kid: keyId } = whole;
    await vault.put(platformTenantId, { secretClass, id: keyId }, JSON.stringify(whole), cause);
    // Before it signs.
    await published.put(keyId, { jwk: publicPart, since: clock.now().toISOString() });
    const forget = async () => {
      await vault.destroy(platformTenantId, { secretClass, id: keyId }, cause);
      await published.remove(keyId);
    };
    const decide = (known: Current | null) =>
      known && because === 'first_start' ? null : follow(known, { keyId, at: clock.now(), because, leadMs });
    const chosen = await current.change(use, decide, { cause }).catch(async (error: unknown) => {
      // Of a write whose answer was lost nobody knows whether it was made: then the key may be needed.
      if (error instanceof ProblemError) await forget();
      throw error;
    });
    if (chosen?.state.keyId !== keyId && chosen?.state.next?.keyId !== keyId) await forget();
    await read();
  }

  /** The private part of one that signs no more is of use to thieves alone. It goes before it is left out. */
  async function settle(): Promise<void> {
    const before = new Date(clock.now().getTime() - settledAfterMs);
    if (!state || (state.next && !isActive(state, before))) return;
    const { keyId: former, next } = state;
    const cause = ownCause();
    const signing = next?.keyId ?? former;
    for (const [id, { since }] of shown) {
      if (id === signing || emptied.has(id) || since > before.toISOString()) continue;
      await vault.destroy(platformTenantId, { secretClass, id }, cause);
      emptied.add(id);
      opened.delete(id);
    }
    if (!next) return;
    const isSame = (known: Current | null) => known?.keyId === former && known.next?.keyId === next.keyId;
    const decide = (known: Current | null) =>
      isSame(known) ? { state: { keyId: next.keyId, next: null }, events: [] } : null;
    await current.change(use, decide, { cause });
    await read();
  }

  return {
    async load(): Promise<void> {
      await read();
      if (!state) await make('first_start', ownCause(), 0);
    },

    /** Goes on to look which there are. */
    watch(onError: (error: unknown) => void) {
      const rounds = createRounds(async () => {
        await read().then(settle).catch(onError);
        return lookedAtEveryMs;
      });
      rounds.start(lookedAtEveryMs);
      return rounds;
    },

    /** The one that signs now. Throws before `load` has ended. */
    current(): SigningKey {
      const key = state && opened.get(signingIn(state, clock.now()));
      if (!key) throw new Error('the signing key is not loaded yet');
      return key;
    },

    /** The public key of what this service has signed for itself; null for one that is unknown or compromised. */
    trusted(keyId: string | undefined): JWK | null {
      const found = keyId === undefined ? undefined : shown.get(keyId);
      return found && found.compromisedAt === undefined ? found.jwk : null;
    },

    /** Another one follows, shown for `leadMs` before it signs; at once where the present one is compromised. */
    async rotate(cause: Cause, how: { because: 'requested' | 'compromised'; leadMs: number }): Promise<void> {
      const former = [state?.keyId, state?.next?.keyId];
      await make(how.because, cause, how.leadMs);
      if (how.because !== 'compromised') return;
      const compromisedAt = clock.now().toISOString();
      for (const id of former) {
        const found = id === undefined ? null : await published.get(id);
        if (id !== undefined && found) await published.put(id, { ...found.state, compromisedAt });
      }
      await read();
    },

    /** The newest last. */
    list() {
      const now = clock.now().toISOString();
      const signing = state && signingIn(state, clock.now());
      return [...shown.values()]
        .toSorted((one, other) => (one.since < other.since ? -1 : 1))
        .map(({ jwk: { kid: keyId }, since, compromisedAt = null }) => {
          const { next } = state ?? {};
          const activeFrom = next?.keyId === keyId ? next.activeFrom : since;
          const stage = keyId === signing ? 'signing' : activeFrom > now ? 'next' : 'verifying';
          return { keyId, algorithm, stage, activeFrom, compromisedAt };
        });
    },

    /** All that there ever were. */
    async published(): Promise<KeySet> {
      const keys: (JWK & { reeve_compromised_at?: string })[] = [];
      for await (const { state: one } of published.all('inOrder', {}))
        keys.push(one.compromisedAt === undefined ? one.jwk : { ...one.jwk, reeve_compromised_at: one.compromisedAt });
      return { keys };
    },
  };
}
