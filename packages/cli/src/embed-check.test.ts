import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCommand } from './command.test-support.ts';

const said = { about: 'auth_key default', why: 'Because.' };
const answer = {
  works: false,
  checks: [
    { ...said, code: 'missing_auth_key', holds: true, whatToDo: null },
    { ...said, code: 'blocked_by_csp', holds: null, whatToDo: 'Look.' },
    { ...said, code: 'secret_expired', holds: false, whatToDo: 'Mend it.' },
    { ...said, code: 'no_channel_identity', holds: false, whatToDo: 'Link them.' },
  ],
};

let command: Awaited<ReturnType<typeof startCommand>>;

beforeAll(async () => {
  command = await startCommand(['embed', 'check'], { path: '/v1/tenants/acme/embed/check', answer });
});
afterAll(() => command.stop());

const run = (...parameters: string[]) => command.run(...parameters);

test('says what holds, what does not and what to do, and ends with 1', async () => {
  const { code, out } = await run('acme');
  expect([code, command.asked()]).toEqual([1, ['platform:admin', '/v1/tenants/acme/embed/check']]);
  expect(out).toContain('yes  missing_auth_key (auth_key default)');
  expect(out).toContain('?    blocked_by_csp');
  expect(out).toContain('no   secret_expired (auth_key default)\n     Because.\n     -> Mend it.');
  expect(out).toContain('no   no_channel_identity (auth_key default)\n     Because.\n     -> Link them.');
  expect(out).not.toContain('Look.');
});

test('prints the answer as it is', async () => {
  const { code, out } = await run('acme', '--json');
  expect([code, JSON.parse(out)]).toEqual([1, answer]);
});

test('ends with 2 where it could not be read', async () => {
  expect((await run('nobody')).code).toBe(2);
});
