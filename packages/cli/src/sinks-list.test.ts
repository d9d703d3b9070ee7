import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startService } from './service.test-support.ts';

const good = { id: 'snk_a', name: 'Splunk', target: { kind: 'splunk_hec', url: 'https://splunk.example' } };
const ok = { ...good, status: 'active', health: 'ok', behind: 0, lastDeliveredAt: 'just now', lastError: null };
const lastError = { code: 'busy', detail: 'it answered 500', at: 'then' };
const failing = { ...ok, id: 'snk_b', health: 'failing', behind: 7, lastDeliveredAt: null, lastError };
const sinks: Record<string, object[]> = { acme: [ok], globex: [failing, { ...ok, status: 'paused' }], empty: [] };

let service: Awaited<ReturnType<typeof startService>>;

beforeAll(async () => {
  service = await startService(({ url }) => {
    const of = /^\/v1\/tenants\/(\w+)\/audit\/sinks\?/.exec(url)?.[1];
    if (of !== undefined && of in sinks) return { body: { items: sinks[of], nextCursor: null } };
    if (url === '/v1/tenants?limit=100')
      return {
        body: {
          items: [
            { id: 't1', slug: 'acme' },
            { id: 't2', slug: 'empty' },
          ],
          nextCursor: 'more',
        },
      };
    if (url === '/v1/tenants?limit=100&cursor=more')
      return { body: { items: [{ id: 't3', slug: 'globex' }], nextCursor: null } };
    return { status: 404, body: { code: 'not_found', detail: 'There is none.' } };
  });
});
afterAll(() => service.stop());

test('says of each how far it is and why it fails, and ends with 1 where one does', async () => {
  const { code, out } = await service.run('sinks', 'list', 'globex');
  expect([code, out.trim().split('\n')]).toEqual([
    1,
    [
      'globex  snk_b  splunk_hec  failing  7 behind  last delivered never  Splunk',
      '    busy at then: it answered 500',
      'globex  snk_a  splunk_hec  paused  0 behind  last delivered just now  Splunk',
      '2 sinks, 1 failing',
    ],
  ]);
});

test('finds those that fail among all tenants', async () => {
  const { code, out } = await service.run('sinks', 'list', '--failing');
  expect([code, out.match(/snk_\w/g), out.trim().split('\n').at(-1)]).toEqual([1, ['snk_b'], '3 sinks, 1 failing']);
});

test('ends with 0 where none fails, and with 2 where it could not be read', async () => {
  expect((await service.run('sinks', 'list', 'acme')).code).toBe(0);
  expect((await service.run('sinks', 'list', 'nobody')).code).toBe(2);
});
