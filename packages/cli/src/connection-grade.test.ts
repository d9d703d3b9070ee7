import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startCommand } from './command.test-support.ts';

const said = { who: 'identity_service', why: 'Because.' };
const grade = {
  level: 'SL1',
  clauses: [
    { ...said, id: 'a', level: 'SL1', clause: 'The first', holds: true, whatToDo: null },
    { ...said, id: 'b', level: 'SL1', clause: 'The second', holds: null, whatToDo: 'Ask.' },
    { ...said, id: 'c', level: 'SL2', clause: 'The third', holds: false, whatToDo: 'Mend it.' },
  ],
};

let command: Awaited<ReturnType<typeof startCommand>>;

beforeAll(async () => {
  command = await startCommand(['connection', 'grade'], {
    path: '/v1/tenants/acme/sso-connections/con_1/grade',
    answer: grade,
  });
});
afterAll(() => command.stop());

const run = (...parameters: string[]) => command.run(...parameters);

test('says the level, and of each clause whether it holds, why, and what to do', async () => {
  const { code, out } = await run('acme', 'con_1');
  expect(code).toBe(0);
  expect(command.asked()).toEqual(['platform:admin', '/v1/tenants/acme/sso-connections/con_1/grade']);
  expect(out).toContain('level: SL1; 1 clauses cannot be known from here');
  for (const line of ['SL1  yes  The first', 'SL1  ?    The second', 'SL2  no   The third', '-> Mend it.'])
    expect(out).toContain(line);
});

test('prints the answer as it is, for programs', async () => {
  expect(JSON.parse((await run('acme', 'con_1', '--json')).out)).toEqual(grade);
});

test('ends with 1 where the level is lower than it has to be, with the client of a tenant as well', async () => {
  expect((await run('acme', 'con_1', '--at-least', 'SL2', '--scope', 'tenant:acme')).code).toBe(1);
  expect(command.asked()[0]).toBe('tenant:acme');
  expect((await run('acme', 'con_1', '--at-least', 'SL1')).code).toBe(0);
});

test('ends with 2 where there is no such connection, no such level, or no answer, and says no secret', async () => {
  expect(await run('acme', 'con_2')).toEqual({ code: 2, out: 'reeve: 404 not_found: There is none.\n' });
  expect(await run('acme', '../../../clients')).toMatchObject({ code: 2 });
  expect(command.asked().at(-1)).toBe('/v1/tenants/acme/sso-connections/..%2F..%2F..%2Fclients/grade');
  expect((await run('acme', 'con_1', '--at-least', 'SL9')).code).toBe(2);
  const { code, out } = await run('acme', 'con_1', '--issuer', 'http://127.0.0.1:1');
  expect([code, out.includes('a secret')]).toEqual([2, false]);
});

test('has a help that says what its codes mean', async () => {
  const { code, out } = await run('--help');
  expect([code, out.includes('--at-least'), out.includes('Ends with 0')]).toEqual([0, true, true]);
});
