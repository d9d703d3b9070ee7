// A look at everything that a service stands on, from inside it: what it sees of its store, of Kafka and of the issuer.
// Changes nothing.
import { topics } from '@reeve/contracts';
import type { EventBus } from '@reeve/event-bus';
import type { Store } from '@reeve/store';
import type { BaseConfig } from '../config.ts';
import { type Check, checksOfBus, checksOfStore, clock, failed, ok } from './checks.ts';

type Parts = {
  config: BaseConfig;
  store: Pick<Store, 'inspect'>;
  bus: Pick<EventBus, 'inspect'>;
  /** Rejects where the keys of the vault cannot be used; undefined for a service without a vault. */
  needs?: (() => Promise<void>) | undefined;
};

const withinMs = 10_000;
/** The header `Date` has whole seconds. */
const halfASecondMs = 500;

/** Resolves within seconds, whatever hangs. */
export async function diagnose({ config, store, bus, needs }: Parts): Promise<Check[]> {
  const all = await Promise.all([
    within('store_reachable', 'MongoDB', 'MONGODB_URI', async () => [
      ok('store_reachable', 'MongoDB answers'),
      ...checksOfStore(await store.inspect()),
    ]),
    within('kafka_reachable', 'Kafka', 'KAFKA_BROKERS', async () => [
      ok('kafka_reachable', 'Kafka answers'),
      ...checksOfBus(await bus.inspect(topics), topics),
    ]),
    within('issuer_reachable', 'the issuer', 'REEVE_ISSUER_ADDRESS', () => checksOfIssuer(config)),
    needs
      ? within('keys_usable', 'what keeps the keys of the vault', 'docs/keys.md', async () => {
          await needs();
          return [ok('keys_usable', 'a key of the vault is wrapped and opened')];
        })
      : [],
  ]);
  return all.flat();
}

async function within(code: string, what: string, where: string, work: () => Promise<Check[]>): Promise<Check[]> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${withinMs / 1_000} s`)), withinMs);
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [failed(code, `${what} does not answer: ${why}`, `See ${where}, its network policy and its certificates.`)];
  } finally {
    clearTimeout(timer);
  }
}

/** As this service asks for the keys of tokens. */
async function checksOfIssuer({ REEVE_ISSUER, REEVE_ISSUER_ADDRESS: address = REEVE_ISSUER }: BaseConfig) {
  const askedAt = Date.now();
  const response = await fetch(new URL('/jwks', address), {
    signal: AbortSignal.timeout(withinMs),
    redirect: 'manual',
  });
  const { keys } = (await response.json()) as { keys?: unknown[] };
  if (!response.ok || !Array.isArray(keys) || keys.length === 0)
    return [failed('issuer_reachable', `${address} shows no keys (${response.status})`, 'See REEVE_ISSUER_ADDRESS.')];
  const said = Date.parse(response.headers.get('date') ?? '') + halfASecondMs;
  return [
    ok('issuer_reachable', `${address} shows ${keys.length} keys`),
    ...(Number.isNaN(said) ? [] : [clock('issuer_clock', said - (askedAt + Date.now()) / 2, 'the issuer')]),
  ];
}
