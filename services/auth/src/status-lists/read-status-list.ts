// Serves a token status list as a JWT, signed by the key of access tokens, for who verifies our tokens by themselves.
// Anew each second at most, whoever asks; it says up to which moment it is known, and where that is not known any more
// there is none.
import { createHash } from 'node:crypto';
import { ProblemError } from '@reeve/contracts';
import { openRoute, type Standing } from '@reeve/service-kit';
import type { Request, Response } from 'express';
import { importJWK, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { SigningKey } from '../signing-keys/signing-keys.ts';
import { packedList } from './status-list.ts';
import type { StatusLists } from './status-lists.ts';

type Parts = {
  statusLists: Pick<StatusLists, 'overIn' | 'uriOf' | 'revisionOf'>;
  standing: Pick<Standing, 'upToDateAt'>;
  key: () => SigningKey;
  /** How long what is revoked may not have been heard. */
  longestSilenceMs: number;
};

type Written = { token: string; etag: string };
type Kept = { written: Promise<Written | null>; at: number; revision: number };

const statusListType = 'application/statuslist+jwt';
/** For so long a reader need not ask again, and for so long it may go on with what it has when nobody answers. */
const ttlSeconds = 5;
const lifetimeSeconds = 60;
/** Written anew after so long, and where somebody else's session is over by then after this long. */
const keptMs = 1_000;
const changedKeptMs = 200;
const mostKept = 100;
const query = z.object({ time: z.unknown().optional() });

export function readStatusList(parts: Parts) {
  const kept = new LRUCache<string, Kept>({ max: mostKept });

  /** However many ask, it is written once at a time. */
  function written(id: string): Promise<Written | null> {
    const now = performance.now();
    const revision = parts.statusLists.revisionOf(id);
    const before = kept.get(id);
    if (before && now - before.at < (before.revision === revision ? keptMs : changedKeptMs)) return before.written;
    const writing = write(parts, id);
    kept.set(id, { written: writing, at: now, revision });
    writing.catch(() => kept.delete(id));
    return writing;
  }

  return openRoute({
    method: 'get',
    path: '/status-lists/{list}',
    summary: 'Which sessions are over, as a token status list (draft-ietf-oauth-status-list), at most a second old',
    open: 'it says of nobody who does not hold their token that they are there',
    answer: 'bytes',
    crossOrigin: true,
    query,
    response: z.string(),
    produces: [statusListType],
    async handle({ request, params: { list }, query: { time } }) {
      if (time !== undefined) throw new ProblemError('status_history_not_offered');
      if (!/^[\w-]{22}$/.test(list)) throw new ProblemError('not_found');
      const found = await written(list);
      if (!found) throw new ProblemError('not_found');
      // Not in CBOR (application/statuslist+cwt).
      if (request.accepts([statusListType]) === false)
        throw new ProblemError('not_acceptable', `it is offered as ${statusListType}`);
      return { stream: response => send(request, response, found) };
    },
  });
}

async function write({ statusLists, standing, key, longestSilenceMs }: Parts, id: string): Promise<Written | null> {
  const upTo = standing.upToDateAt();
  const over = await statusLists.overIn(id);
  if (!over) return null;
  if (Date.now() - upTo > Math.min(longestSilenceMs, lifetimeSeconds * 1_000))
    throw new ProblemError('dependency_unavailable', 'it is not known which sessions are over', {
      retryAfterSeconds: 2,
    });
  const { kid, alg, ...jwk } = key();
  const iat = Math.floor(upTo / 1_000);
  const claims = { status_list: { bits: 1, lst: await packedList(over) }, ttl: ttlSeconds };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg, kid, typ: 'statuslist+jwt' })
    .setSubject(statusLists.uriOf(id))
    .setIssuedAt(iat)
    .setExpirationTime(iat + lifetimeSeconds)
    .sign(await importJWK(jwk, alg));
  const etag = `"${createHash('sha256').update(token).digest('base64url').slice(0, 22)}"`;
  return { token, etag };
}

function send(request: Request, response: Response, { token, etag }: Written): void {
  response.setHeader('ETag', etag);
  response.setHeader('Cache-Control', 'public, max-age=1');
  response.vary('Accept');
  if (request.get('If-None-Match') === etag) return void response.status(304).end();
  response.type(statusListType).send(token);
}
