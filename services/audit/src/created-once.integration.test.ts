// A request that is sent again after a crash came between the creation and its answer: the id that it creates is the
// same (Idempotency-Key), and it finds what the first made.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { emptyContext, newId, type TenantId } from '@reeve/contracts';
import type { Route } from '@reeve/service-kit';
import { createGuardedNetwork } from '@reeve/service-kit/outbound';
import { eventually, vaultKeyFile } from '@reeve/testing';
import { createVault, localKeyFile } from '@reeve/vault';
import { callRoute, giveWay, growLog, openTestLog, type TestLog } from './audit.test-support.ts';
import { createPackage } from './evidence/create-package.ts';
import { openEvidence } from './evidence/evidence-package.ts';
import { createCheckpointer } from './log/checkpointer.ts';
import { createDeletionRequest } from './removal/create-deletion-request.ts';
import { deletionRequests } from './removal/deletion-request.ts';
import { holds } from './removal/legal-hold.ts';
import { placeHold } from './removal/place-hold.ts';
import { turns } from './removal/removal-turn.ts';
import { createView } from './search/create-view.ts';
import { savedViews } from './search/saved-view.ts';
import { createSink } from './sinks/create-sink.ts';
import { createIsolatedProcesses } from './sinks/isolation/isolated-processes.ts';
import { runs } from './sinks/run.ts';
import { mostSinks, sinks } from './sinks/sink.ts';
import type { SinkParts } from './sinks/sink-parts.ts';
import { createViewerToken } from './viewers/create-viewer-token.ts';
import { makerEnds } from './viewers/maker-end.ts';
import { viewers } from './viewers/viewer-token.ts';

let opened: TestLog;
let sinkParts: SinkParts;
beforeAll(async () => {
  opened = await openTestLog();
  const { store, log } = opened;
  const keyFile = vaultKeyFile();
  sinkParts = {
    ...log,
    network: createGuardedNetwork({ allowedPrivateOrigins: ['http://127.0.0.1:9'], timeoutMs: 500 }),
    processes: createIsolatedProcesses({ onError: () => undefined }),
    checkpointer: createCheckpointer({ ...log, intervalMs: 60_000, giveWay, onError: () => undefined }),
    sinks: store.collection(sinks),
    runs: store.collection(runs),
    vault: createVault({ store, keys: localKeyFile(keyFile.path) }),
  };
  keyFile.remove();
});
afterAll(() => opened.store.close());

const person = { type: 'user', id: newId('user'), name: null, via: 'session' } as const;
const https = { kind: 'https', url: 'http://127.0.0.1:9/siem', format: 'ndjson' };

type Created = { id: string; token?: string | null; credential?: string | null };
type Creates = { route: () => Route; body: object; event: string };

const creates: Record<string, Creates> = {
  'a saved view': {
    route: () => createView({ views: opened.store.collection(savedViews) }),
    body: { name: 'Mine', filters: { type: 'user.created' } },
    event: 'view.created',
  },
  'a viewer token': {
    route: () =>
      createViewerToken({
        viewers: opened.store.collection(viewers),
        makerEnds: opened.store.collection(makerEnds),
        signingKey: () => opened.key,
        trustedKey: () => null,
        selfUrl: 'http://audit.test',
        clock: opened.store.clock,
      }),
    body: { name: 'page', origins: [], expiresInSeconds: 60 },
    event: 'viewer_token.created',
  },
  'a sink': {
    route: () => createSink(sinkParts),
    body: { name: 'siem', target: https },
    event: 'sink.created',
  },
  'a deletion request': {
    route: () => createDeletionRequest({ ...opened.log, requests: opened.store.collection(deletionRequests) }),
    body: { scope: {}, reason: 'asked for' },
    event: 'deletion.requested',
  },
  'an evidence package': {
    route: () => createPackage({ ...openEvidence(opened.store), clock: opened.store.clock }),
    body: { name: 'audit', from: '2026-01-01T00:00:00.000Z', to: '2026-12-31T00:00:00.000Z' },
    event: 'evidence_package.requested',
  },
  'a legal hold': {
    route: () => {
      const { store } = opened;
      return placeHold({ holds: store.collection(holds), turns: store.collection(turns), clock: store.clock });
    },
    body: { name: 'matter', reason: 'court', scope: {} },
    event: 'hold.placed',
  },
};

function asker(tenantId: TenantId) {
  const cause = { actor: person, context: emptyContext, correlationId: 'c' };
  return (route: Route, body: object, seed = newId('request').slice(4)) => {
    const freshId = ((kind: Parameters<typeof newId>[0]) => `${newId(kind).slice(0, 3)}_${seed}`) as typeof newId;
    return callRoute<Created>(route, { tenantId, body, cause, freshId });
  };
}

describe.each(Object.entries(creates))('%s', (_, { route, body, event }) => {
  test('is made once by a request that is sent again, which gets what the first one made', async () => {
    const tenantId = newId('tenant');
    const ask = asker(tenantId);
    const seed = newId('request').slice(4);
    const { token: shown, credential: made, ...first } = await ask(route(), body, seed);
    const { token: again, credential: remade, ...second } = await ask(route(), body, seed);
    expect(second).toEqual(first);
    // A secret is shown when it is made, and not to whoever asks again.
    expect([again ?? null, remade ?? null]).toEqual([null, null]);
    if (event === 'viewer_token.created') expect(shown).toMatch(/^ey/);
    if (event === 'sink.created') expect(made).toMatch(/^whsec_/);
    const events = () =>
      opened.published.filter(one => one.event.tenantId === tenantId && one.event.type === event).length;
    await eventually('its event is published', () => events() > 0);
    expect(events()).toBe(1);
  });
});

describe('a sink', () => {
  test('that has delivered already keeps its place and its credential when the request for it comes again', async () => {
    const tenantId = newId('tenant');
    const seed = newId('request').slice(4);
    const ask = asker(tenantId);
    const { id } = await ask(createSink(sinkParts), { name: 'siem', target: https }, seed);
    const run = (await sinkParts.runs.in(tenantId).get(id))?.state;
    if (!run) throw new Error('there is no run');
    await growLog(opened.log, { tenantId, chain: 'reeve.auth.v1/0', from: 0, count: 3 });
    await sinkParts.runs.in(tenantId).put(id, { ...run, position: { 'reeve.auth.v1/0': 3 }, delivered: 3 });
    const secrets = () => opened.published.filter(one => one.event.type === 'secret.stored').length;
    await eventually('its secret is stored', () => secrets() > 0);
    const before = secrets();
    await ask(createSink(sinkParts), { name: 'siem', target: https }, seed);
    expect((await sinkParts.runs.in(tenantId).get(id))?.state).toMatchObject({
      delivered: 3,
      position: { 'reeve.auth.v1/0': 3 },
    });
    expect(secrets()).toBe(before);
  });

  test('is one of so many of a tenant, and one of them less makes room for another', async () => {
    const tenantId = newId('tenant');
    const ask = asker(tenantId);
    const ids: string[] = [];
    for (let n = 0; n < mostSinks; n += 1)
      ids.push((await ask(createSink(sinkParts), { name: `siem ${n}`, target: https })).id);
    const more = () => ask(createSink(sinkParts), { name: 'one more', target: https });
    await expect(more()).rejects.toMatchObject({
      code: 'sink_limit',
      message: `a tenant has at most ${mostSinks} sinks`,
    });
    // That is the tenant's own limit, and not everybody's.
    await asker(newId('tenant'))(createSink(sinkParts), { name: 'siem', target: https });
    await sinkParts.sinks.in(tenantId).remove(ids[0] ?? '');
    expect(await more()).toMatchObject({ name: 'one more' });
  });

  test('is one of so many also of those that are asked for at the same time', async () => {
    const tenantId = newId('tenant');
    const ask = asker(tenantId);
    const names = Array.from({ length: 50 }, (_, n) => `siem ${n}`);
    const outcomes = await Promise.allSettled(names.map(name => ask(createSink(sinkParts), { name, target: https })));
    const refused = outcomes.flatMap(one => (one.status === 'rejected' ? [one.reason as unknown] : []));
    expect(await sinkParts.sinks.in(tenantId).count('inOrder', {})).toBe(mostSinks);
    expect(refused).toEqual(Array.from({ length: 30 }, () => expect.objectContaining({ code: 'sink_limit' })));
  });

  test('counts if it is from before each had a slot, and is found by the request for it when there is no other', async () => {
    const tenantId = newId('tenant');
    const ask = asker(tenantId);
    const seed = newId('request').slice(4);
    const { id } = await ask(createSink(sinkParts), { name: 'siem', target: https }, seed);
    const { state } = (await sinkParts.sinks.in(tenantId).get(id)) ?? {};
    if (!state) throw new Error('there is no sink');
    for (let n = 1; n < mostSinks; n += 1)
      await sinkParts.sinks.in(tenantId).put(newId('sink'), { ...state, name: `siem ${n}`, slot: null });
    await expect(ask(createSink(sinkParts), { name: 'one more', target: https })).rejects.toMatchObject({
      code: 'sink_limit',
    });
    expect(await ask(createSink(sinkParts), { name: 'siem', target: https }, seed)).toMatchObject({ id });
  });
});
