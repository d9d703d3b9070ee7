// What the provider keeps that is none of the rest: opaque access tokens and pushed requests. Known by hashes of their
// values, which are not kept.
import { createHash } from 'node:crypto';
import { type Clock, type PlatformRecords, platformRecords } from '@reeve/store';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { separator } from '../sessions/live-sessions.ts';
import { requestScope } from './request-scope.ts';

export type Artifact = { payload: string; grantId?: string; isUsed?: boolean };

export const artifacts = platformRecords<Artifact>({
  name: 'oidc_artifacts',
  reason: 'an access token and a pushed request are looked up by an opaque value that says nothing of a tenant',
  keys: ['grantId'],
});

const payloadOf = ({ payload }: Artifact) => JSON.parse(payload) as AdapterPayload;

/** As the provider has it in the payload. */
function expiryOf(row: Artifact): Date {
  const { exp } = payloadOf(row);
  if (exp === undefined) throw new TypeError('what the provider uses up never expires');
  return new Date(exp * 1_000);
}

type Parts = { records: PlatformRecords<Artifact>; clock: Clock; model: string };
type ArtifactAdapter = Pick<Adapter, 'upsert' | 'find' | 'consume' | 'destroy' | 'revokeByGrantId'>;

export function artifactAdapter({ records, clock, model }: Parts): ArtifactAdapter {
  const keyOf = (id: string) => createHash('sha256').update(`${model} ${id}`).digest('hex');

  return {
    async upsert(id, payload, expiresIn) {
      const { jti: _, ...kept } = payload;
      const { grantId } = payload;
      const row = { payload: JSON.stringify(kept), ...(grantId === undefined ? {} : { grantId }) };
      const expiresAt = new Date(clock.now().getTime() + (expiresIn ?? 0) * 1_000);
      requestScope().writeLater(`${model} ${id}`, () => records.put(keyOf(id), row, expiresAt));
    },

    async find(id) {
      // The text of a refresh token, which the library takes for each of its kinds in turn.
      if (id.includes(separator)) return undefined;
      const found = await records.get(keyOf(id));
      if (!found) return undefined;
      const payload = { ...payloadOf(found.row), jti: id };
      return found.row.isUsed ? { ...payload, consumed: Math.floor(clock.now().getTime() / 1_000) } : payload;
    },

    /**
     * Marks it as used. The library has looked whether it was; whoever uses it at the same moment loses nothing by it.
     */
    async consume(id) {
      await records.change(keyOf(id), row => row && { row: { ...row, isUsed: true }, expiresAt: expiryOf(row) });
    },

    destroy: id => records.remove(keyOf(id)),
    revokeByGrantId: grantId => records.removeBy('grantId', grantId),
  };
}
