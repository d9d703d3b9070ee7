import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startService } from './service.test-support.ts';

const at = (id: string, ...applications: string[]) => ({ id, applications, delegate: null });
const pages: Record<string, object> = {
  '': { items: [at('s1', 'cli_a'), at('s2', 'cli_b')], nextCursor: 'more' },
  '&cursor=more': {
    items: [at('s3', 'cli_b', 'cli_a'), { id: 's4', applications: [], delegate: { clientId: 'cli_a' } }],
    nextCursor: null,
  },
};
const list = '/v1/tenants/acme/sessions?status=live&limit=100';

let refused = '';
let service: Awaited<ReturnType<typeof startService>>;

beforeAll(async () => {
  service = await startService(({ method, url }) => {
    if (url === refused) return { status: 503, body: { code: 'dependency_unavailable', detail: 'Wait.' } };
    if (method === 'GET') return { body: pages[url.slice(list.length)] };
    return { body: url.includes('/users/') ? { ended: 3 } : {} };
  });
});
afterAll(() => service.stop());
beforeEach(() => {
  refused = '';
});

const changes = () =>
  service
    .asked()
    .filter(({ method }) => method === 'POST')
    .map(({ url }) => url.slice('/v1/tenants/acme/'.length));

test('ends those in which an application was used, or acts for the person, page by page', async () => {
  const { code, out } = await service.run('sessions', 'end', 'acme', '--client', 'cli_a', '--reason', 'leaked');
  expect(changes()).toEqual(['sessions/s1:terminate', 'sessions/s3:terminate', 'sessions/s4:terminate']);
  expect(new Set(service.asked().map(({ reason }) => reason))).toEqual(new Set(['leaked']));
  expect([code, out.trim().split('\n')]).toEqual([
    0,
    ['2 live sessions looked at, 1 ended', '4 live sessions looked at, 3 ended'],
  ]);
});

test('ends those of everybody, or of a person by one request', async () => {
  expect((await service.run('sessions', 'end', 'acme', '--all')).out).toContain('4 live sessions looked at, 4 ended');
  expect((await service.run('sessions', 'end', 'acme', '--user', 'usr_a')).out.trim()).toBe('3 sessions ended');
  expect(changes()).toEqual(['users/usr_a/sessions:terminate']);
});

test('what the service refuses is said, after how far it came, and ends with 2', async () => {
  refused = '/v1/tenants/acme/sessions/s3:terminate';
  const { code, out, err } = await service.run('sessions', 'end', 'acme', '--client', 'cli_a');
  expect([code, out.trim(), err.trim()]).toEqual([
    2,
    '2 live sessions looked at, 1 ended',
    'reeve: 503 dependency_unavailable: Wait.',
  ]);
});

test.each([
  [['acme'], 'say --user, --client or --all'],
  [['acme', '--all', '--user', 'usr_a'], 'cannot be used with'],
])('%j is refused, and nothing is asked', async (args, complaint) => {
  const { code, err } = await service.run('sessions', 'end', ...args);
  expect([code, err]).toEqual([2, expect.stringContaining(complaint)]);
  expect(service.asked()).toEqual([]);
});
