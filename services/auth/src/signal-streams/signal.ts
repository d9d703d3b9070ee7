// What waits to be delivered by a stream, until its receiver has taken it or it is too old. Its id is that of the
// stream and of the event that it came of, so that an event which comes twice is queued once; the second part is `jti`.
import { type Collections, collection, type Entry } from '@reeve/store';
import { importJWK, SignJWT } from 'jose';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import type { Said } from './signal-events.ts';

export type Signal = Said & {
  streamId: string;
  jti: string;
  /** What else came of the same thing has the same one. */
  txn: string;
  /** ISO 8601. */
  at: string;
  keptUntil: string;
};

export type Signals = Collections<Signal>;

export const signals = collection<Signal>({
  name: 'signals',
  queries: { byStream: { equality: ['streamId'] } },
  expiresAt: ({ keptUntil }) => new Date(keptUntil),
});

const keptMs = 7 * 86_400_000;

export const signalId = (streamId: string, jti: string): string => `${streamId}.${jti}`;

export const waiting = (
  { id: jti, txn, time: at }: { id: string; txn: string; time: string },
  streamId: string,
  said: Said,
): Signal => ({
  ...said,
  streamId,
  jti,
  txn,
  at,
  keptUntil: new Date(Date.parse(at) + keptMs).toISOString(),
});

type By = { key: SigningKey; issuer: string; audience: string };

/** A security event token (RFC 8417): neither `sub` nor `exp`, so that it is taken for no other token. */
export async function signed({ state }: Entry<Signal>, { key, issuer, audience }: By): Promise<string> {
  const { kid, alg, ...jwk } = key;
  const { jti, txn, at, subId, uri, event } = state;
  return new SignJWT({ sub_id: subId, txn, events: { [uri]: event } })
    .setProtectedHeader({ alg, kid, typ: 'secevent+jwt' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setIssuedAt(Math.floor(Date.parse(at) / 1_000))
    .setJti(jti)
    .sign(await importJWK(jwk, alg));
}
