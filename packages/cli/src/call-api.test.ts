import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startService } from './service.test-support.ts';

let service: Awaited<ReturnType<typeof startService>>;

beforeAll(async () => {
  service = await startService(({ method, url }) => {
    if (url === '/lines') return { body: '{"a":1}\n{"a":2}' };
    if (method === 'DELETE') return { status: 204 };
    if (url.startsWith('/v1/things')) return { body: { items: [] } };
    return { status: 404, body: { code: 'not_found', detail: 'There is none.' } };
  });
});
afterAll(() => service.stop());

test('asks with a token, and prints the answer', async () => {
  const { code, out } = await service.run('api', 'get', `${service.origin}/v1/things?limit=1`);
  expect([code, JSON.parse(out)]).toEqual([0, { items: [] }]);
  expect(service.asked()).toEqual([{ method: 'GET', url: '/v1/things?limit=1', body: null, reason: 'reeve api' }]);
  expect(service.scopes()).toEqual(['platform:admin']);
});

test('sends a body, a reason and the scope that it is told', async () => {
  const options = ['--scope', 'tenant:acme', '--reason', 'incident 7'];
  await service.run('api', 'post', `${service.origin}/v1/things`, '{"name":"one"}', ...options);
  expect(service.asked()).toEqual([{ method: 'POST', url: '/v1/things', body: { name: 'one' }, reason: 'incident 7' }]);
  expect(service.scopes()).toEqual(['tenant:acme']);
});

test('prints text as it is, and nothing where there is no body', async () => {
  expect(await service.run('api', 'get', `${service.origin}/lines`)).toMatchObject({ out: '{"a":1}\n{"a":2}\n' });
  expect(await service.run('api', 'delete', `${service.origin}/v1/things`)).toMatchObject({ code: 0, out: '' });
});

test('what the service refuses is said, and ends with 2', async () => {
  const { code, err } = await service.run('api', 'get', `${service.origin}/elsewhere`);
  expect([code, err.trim()]).toEqual([2, 'reeve: 404 not_found: There is none.']);
});

test('a path that names another host gets no token', async () => {
  const { code, err } = await service.run('api', 'get', `${service.origin}//elsewhere.example/v1/things`);
  expect([code, err]).toEqual([2, expect.stringContaining('leads to another host')]);
  expect(service.asked()).toEqual([]);
});

test.each([
  [['get', '/v1/things'], 'is a variable in it empty?'],
  [['fetch', 'http://localhost'], 'Allowed choices are get, post, put, patch, delete'],
  [['post', 'http://localhost', '{'], 'It is no JSON.'],
])('%j is refused, and nothing is asked', async (args, complaint) => {
  const { code, err } = await service.run('api', ...args);
  expect([code, err]).toEqual([2, expect.stringContaining(complaint)]);
  expect(service.asked()).toEqual([]);
});
