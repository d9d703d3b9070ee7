// The keys that sign tokens, in the vault under the platform's tenant. Every instance has the same ones, and learns
// within seconds that one has followed another.
import { metrics, type ObservableCallback } from '@opentelemetry/api';
import { type Cause, newEventId, ProblemError, platformTenantId, type ReasonOf, serviceCause } from '@reeve/contracts';
import { type Clock, type Collections, createRounds } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from 'jose';
import { algorithms, follow, type KeysOfUse, staged, type Use } from './signing-key.ts';

export type SigningKey = JWK & { kid: string; alg: string };

export type SigningKeys = Awaited<ReturnType<typeof createSigningKeys>>;

type Parts = { keys: Collections<KeysOfUse>; vault: Vault; clock: Clock; onError: (error: unknown) => void };

const age = metrics.getMeter('@reeve/auth').createObservableGauge('reeve.signing_key.age', {
  unit: 's',
  description: 'How long the key has been signing that signs what is issued now',
});

const secretClass = 'signing-key';
const lookedAtEveryMs = 2_000;
const uses = Object.keys(algorithms) as Use[];

/** Makes the first ones, where there are none. */
export async function createSigningKeys({ keys, vault, clock, onError }: Parts) {
  const stored = keys.in(platformTenantId);
  const opened = new Map<string, SigningKey>();
  const states = new Map<Use, KeysOfUse>();
  const ownCause = () => serviceCause('auth', { correlationId: newEventId() });

  async function open(keyId: string): Promise<void> {
    if (opened.has(keyId)) return;
    const about = { cause: ownCause(), purpose: 'start' } as const;
    const secret = await vault.read(platformTenantId, { secretClass, id: keyId }, about);
    opened.set(keyId, JSON.parse(secret.toString('utf8')) as SigningKey);
  }

  /** As they are in the store now. */
  async function read(): Promise<void> {
    for (const { id, state } of await stored.getAll(uses)) {
      for (const { keyId } of staged(state, clock.now())) await open(keyId);
      states.set(id as Use, state);
    }
  }

  function shown(use: Use) {
    const state = states.get(use);
    if (!state) throw new Error(`there is no key for ${use}`);
    return staged(state, clock.now());
  }

  /** What is shown; the one that signs comes first: another order is another key that signs. */
  const nameAll = () => [...states.keys()].flatMap(use => shown(use).map(({ keyId }) => keyId)).join(' ');
  let told = '';
  let tell = () => {};

  function tellIfChanged(): void {
    const now = nameAll();
    if (now === told) return;
    told = now;
    tell();
  }

  /** Two instances may do so at once: both store a key, and the store decides which follows. */
  async function makeNext(
    use: Use,
    cause: Cause,
    { because, leadMs, isFirst }: { because: ReasonOf<'signing_key.rotated'>; leadMs: number; isFirst: boolean },
  ): Promise<void> {
    const alg = algorithms[use];
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const jwk = await exportJWK(privateKey);
    const keyId = await calculateJwkThumbprint(jwk);
    const named = { secretClass, id: keyId };
    await vault.put(platformTenantId, named, JSON.stringify({ ...jwk, alg, use: 'sig', kid: keyId }), cause);
    const decide = (state: KeysOfUse | null) =>
      isFirst && state ? null : follow(state, { use, keyId, at: clock.now(), because, leadMs });
    const chosen = await stored.change(use, decide, { cause }).catch(async (error: unknown) => {
      // Of a write whose answer was lost nobody knows whether it was made: then the key may be needed.
      if (error instanceof ProblemError) await vault.destroy(platformTenantId, named, cause);
      throw error;
    });
    const isChosen = chosen?.state.keys.some(key => key.keyId === keyId) === true;
    if (!isChosen) await vault.destroy(platformTenantId, named, cause);
    await read();
    tellIfChanged();
  }

  await read();
  for (const use of uses)
    if (!states.has(use)) await makeNext(use, ownCause(), { because: 'first_start', leadMs: 0, isFirst: true });

  const keyOf = (keyId: string): SigningKey => {
    const key = opened.get(keyId);
    if (!key) throw new Error('a signing key was not read');
    return key;
  };

  return {
    /** All that are shown, of each use the one that signs first. */
    all: (): SigningKey[] => uses.flatMap(use => shown(use).map(({ keyId }) => keyOf(keyId))),

    signing: (use: Use): SigningKey => keyOf(shown(use)[0]?.keyId ?? ''),

    list: () => uses.flatMap(use => shown(use).map(key => ({ ...key, use, algorithm: algorithms[use] }))),

    /** Another one follows. Throws `signing_key_waiting` while one is to follow already. */
    rotate: (use: Use, cause: Cause, how: { because: 'requested' | 'compromised'; leadMs: number }): Promise<void> =>
      makeNext(use, cause, { ...how, isFirst: false }),

    /** Tells when other keys are shown, or another one signs. */
    watch(onChange: () => void) {
      told = nameAll();
      tell = onChange;
      const observe: ObservableCallback = result => {
        for (const use of states.keys()) {
          const [signing] = shown(use);
          if (!signing) continue;
          const since = Date.parse(signing.activeFrom);
          result.observe(Math.max(0, clock.now().getTime() - since) / 1_000, { use });
        }
      };
      age.addCallback(observe);
      const rounds = createRounds(async () => {
        try {
          await read();
          // By what was read, or since its time has come.
          tellIfChanged();
        } catch (error) {
          onError(error);
        }
        return lookedAtEveryMs;
      });
      rounds.start(lookedAtEveryMs);
      return rounds;
    },
  };
}
