// Delivers by push (RFC 8935): in order, one after the other, until the receiver has taken each. One process at a time
// does it for a stream. What is refused for good is given up; anything else is tried again, later and later.
import { isDeepStrictEqual } from 'node:util';
import { newEventId, serviceCause } from '@reeve/contracts';
import { type Held, type Logger, leased, type TenantDirectory, worker } from '@reeve/service-kit';
import type { GuardedFetch } from '@reeve/service-kit/outbound';
import type { Clock, Entry } from '@reeve/store';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { type Signal, type Signals, signed } from './signal.ts';
import { pushMethod, putOff, rest, type Stream, type Streams, take } from './stream.ts';
import type { StreamSecrets } from './stream-secrets.ts';

type Parts = {
  streams: Streams;
  signals: Signals;
  secrets: StreamSecrets;
  tenants: TenantDirectory;
  fetch: GuardedFetch;
  key: () => SigningKey;
  issuer: string;
  clock: Clock;
  log: Logger;
  random?: () => number;
  everyMs?: number;
};

/** More than a receiver is waited for. */
const leaseMs = 60_000;
const atOnce = 16;
const ofOneTenant = 4;
/** Receivers that are slow have a part of it together. */
const long = { fromMs: 5_000, atOnce: 8 };
const readAtOnce = 20;
/** Then others have their turn. */
const mostReads = 20;

export function pushSignals(parts: Parts) {
  const { streams, signals, secrets, tenants, clock, log, random = Math.random, everyMs = 2_000 } = parts;

  /** Whether the receiver is through with it. Throws where it is to be tried again. */
  async function deliver(
    signal: Entry<Signal>,
    { url, header, audience }: { url: string; header: string | null; audience: string },
  ): Promise<void> {
    const body = await signed(signal, { key: parts.key(), issuer: parts.issuer, audience });
    const response = await parts.fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/secevent+jwt',
        accept: 'application/json',
        ...(header === null ? {} : { authorization: header }),
      },
      body,
    });
    if (response.status === 202 || response.status === 200) return;
    if (response.status !== 400) throw new Error(`the receiver has answered with status ${response.status}`);
    // RFC 8935 §2.3: it will not take it the next time either.
    const { err } = ((await response.json().catch(() => null)) ?? {}) as { err?: unknown };
    log.warn(
      { stream: signal.state.streamId, jti: signal.state.jti, err: String(err).slice(0, 100) },
      'a receiver refuses a security event',
    );
  }

  /** Whether nothing more waits. False also where the lease is lost. */
  async function deliverAll(held: Held<Stream>): Promise<boolean> {
    const { tenantId, id, state } = held;
    const { delivery, clientId } = state;
    if (delivery.method !== pushMethod) return true;
    const cause = serviceCause('auth', { correlationId: newEventId() });
    const { endpointUrl: url } = delivery;
    const header = delivery.hasHeader ? await secrets.read({ tenantId, streamId: id, cause }, url) : null;
    const own = signals.in(tenantId);
    for (let reads = 0; reads < mostReads; reads += 1) {
      const { items } = await own.list('byStream', { streamId: id }, { limit: readAtOnce });
      if (items.length === 0) return true;
      for (const signal of items) {
        await deliver(signal, { url, header, audience: clientId });
        await own.remove(signal.id);
        const now = await held.renew();
        // To another address the rest goes in another turn.
        if (work.isStopped() || !now || !isDeepStrictEqual(now.delivery, delivery)) return false;
      }
    }
    return false;
  }

  async function turn(held: Held<Stream>): Promise<void> {
    const seen = held.state.woken;
    try {
      // A suspended tenant's wait until it is resumed.
      if ((await tenants.findNow(held.tenantId))?.status !== 'active') throw new Error('the tenant is suspended');
      if (await deliverAll(held)) await held.change(was => rest(was, { seen, at: clock.now() }));
      else await held.change(was => ({ ...was, lease: null, dueAt: clock.now().toISOString() }));
    } catch (error) {
      log.info({ error, tenantId: held.tenantId, stream: held.id }, 'security events will be pushed again');
      await held.change(was => putOff(was, { at: clock.now(), random }));
    }
  }

  const reason = 'security events of all tenants are pushed by whichever instance has time';
  const work = worker({
    ...leased({ collection: streams, reason, take, forMs: leaseMs, clock, service: 'auth' }),
    work: turn,
    atOnce,
    ofOneTenant,
    long,
    everyMs,
    onError: error => log.warn({ error }, 'security events will be pushed again'),
  });
  return work;
}
