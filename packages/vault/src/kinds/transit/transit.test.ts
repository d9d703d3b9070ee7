// The adapter against a server that lies. What a real one answers is in test/src/peers/key-services.peers.test.ts.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { KeyService } from '../../key-management.ts';
import { json, lies, type Say, startLyingServer } from '../lying-server.test-support.ts';
import { createTransit } from './transit.ts';
import type { TokenSource } from './transit-token.ts';

const directory = mkdtempSync(join(tmpdir(), 'reeve-transit-'));
const file = (name: string, text: string) => {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
};
const tokenFile = file('token', 'first\n');
const dataKey = Buffer.alloc(32, 7);
const plaintext = dataKey.toString('base64');
const wrapped = { keyId: 'reeve:v1', wrapped: 'vault:v1:abcd' };

let server: Awaited<ReturnType<typeof startLyingServer>>;
let transit: KeyService;
const by = (token: TokenSource) =>
  createTransit({ url: server.url, mount: 'transit', key: 'reeve', token, timeoutMs: 1_000 });
const tokensShown = () => server.asked.map(({ headers }) => headers['x-vault-token']);

beforeAll(async () => {
  server = await startLyingServer();
  transit = by({ file: tokenFile });
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true });
});

describe('a transit engine', () => {
  test('wraps with the context, names the version of the key, and unwraps', async () => {
    server.says(json(200, { data: { ciphertext: 'vault:v3:abcd', key_version: 3 } }));
    expect(await transit.wrap(dataKey, 'context')).toEqual({ keyId: 'reeve:v3', wrapped: 'vault:v3:abcd' });
    expect(server.asked[0]).toMatchObject({
      path: '/v1/transit/encrypt/reeve',
      body: { plaintext, associated_data: Buffer.from('context').toString('base64') },
    });
    server.says(json(200, { data: { plaintext } }));
    expect(await transit.unwrap(wrapped, 'context')).toEqual(dataKey);
  });

  test.each(Object.entries(lies))('whose answer %s is as one that is away', async (_, say) => {
    server.says(say);
    const reason = { code: 'key_service_unavailable' };
    const both = await Promise.allSettled([transit.wrap(dataKey, 'context'), transit.unwrap(wrapped, 'context')]);
    expect(both).toMatchObject([{ reason }, { reason }]);
    expect(server.asked.length).toBeLessThanOrEqual(6);
  });

  test('whose key is of another length is as one that is away', async () => {
    server.says(json(200, { data: { plaintext: Buffer.alloc(16).toString('base64') } }));
    await expect(transit.unwrap(wrapped, 'context')).rejects.toMatchObject({ code: 'key_service_unavailable' });
  });

  test('that has failed once is asked again', async () => {
    let times = 0;
    server.says((response, asked) => {
      times += 1;
      (times === 1 ? json(503, {}) : json(200, { data: { plaintext } }))(response, asked);
    });
    expect(await transit.unwrap(wrapped, 'context')).toEqual(dataKey);
  });

  test('is not asked for keys that a row names and nobody has configured', async () => {
    server.says(json(200, { data: { plaintext } }));
    for (const keyId of ['other:v1', 'reeve:v2', '../sys/raw'])
      await expect(transit.unwrap({ ...wrapped, keyId }, 'context')).rejects.toMatchObject({ code: 'key_unusable' });
    expect(server.asked).toEqual([]);
  });

  test.each([
    [
      'a version that is too old',
      400,
      'ciphertext or signature version is disallowed by policy (too old)',
      'key_unusable',
    ],
    ['no such key', 404, 'encryption key not found', 'key_unusable'],
    ['that we may not', 403, 'permission denied', 'key_service_denied'],
  ])('that says %s has a code for it', async (_, status, said, code) => {
    server.says(json(status, { errors: [said] }));
    await expect(transit.unwrap(wrapped, 'context')).rejects.toMatchObject({ code });
  });

  test('that says that the context is another one is no problem of ours', async () => {
    server.says(json(400, { errors: ['cipher: message authentication failed'] }));
    const error = await transit.unwrap(wrapped, 'another').catch((refused: unknown) => refused);
    expect(error).toMatchObject({ name: 'Error', message: expect.stringContaining('does not open') });
  });
});

describe('its token', () => {
  test('is read anew when somebody has replaced it', async () => {
    server.says(json(200, { data: { plaintext } }));
    await transit.unwrap(wrapped, 'context');
    file('token', 'second');
    await transit.unwrap(wrapped, 'context');
    expect(tokensShown()).toEqual(['first', 'second']);
  });

  test('that is no token is not sent', async () => {
    server.says(json(200, { data: { plaintext } }));
    for (const token of [{ file: file('lines', 'a\nb') }, { file: join(directory, 'none') }])
      await expect(by(token).unwrap(wrapped, 'context')).rejects.toMatchObject({ code: 'key_service_denied' });
    expect(server.asked).toEqual([]);
  });
});

describe('a sign-in with the service account', () => {
  const account = () => ({ role: 'reeve', authMount: 'kubernetes', jwtFile: file('jwt', 'jwt-1') });
  let given = 0;
  /** Tokens t1, t2, …, of which those in `ended` are refused. */
  const engine =
    (ended: readonly string[], login: (token: string) => Say): Say =>
    (response, asked) => {
      if (asked.path === '/v1/auth/kubernetes/login') {
        given += 1;
        login(`t${given}`)(response, asked);
      } else if (ended.includes(String(asked.headers['x-vault-token']))) json(403, {})(response, asked);
      else json(200, { data: { plaintext } })(response, asked);
    };
  const lasting = (seconds: number) => (token: string) =>
    json(200, { auth: { client_token: token, lease_duration: seconds } });
  const logins = () => server.asked.filter(({ path }) => path.endsWith('/login')).length;

  test('is made once for those who come at once, and its token is used on', async () => {
    given = 0;
    server.says(engine([], lasting(3_600)));
    const own = by(account());
    await Promise.all([1, 2, 3].map(() => own.unwrap(wrapped, 'context')));
    await own.unwrap(wrapped, 'context');
    expect([logins(), new Set(tokensShown().filter(Boolean))]).toEqual([1, new Set(['t1'])]);
    expect(server.asked[0]?.body).toEqual({ role: 'reeve', jwt: 'jwt-1' });
  });

  test('is made again before its token ends', async () => {
    given = 0;
    server.says(engine([], lasting(1)));
    const own = by(account());
    await own.unwrap(wrapped, 'context');
    await new Promise(resolve => setTimeout(resolve, 750));
    await own.unwrap(wrapped, 'context');
    expect(logins()).toBe(2);
  });

  test('is made again, once, when its token ends in the middle', async () => {
    given = 0;
    server.says(engine(['t1'], lasting(3_600)));
    const own = by(account());
    expect(await Promise.all([1, 2, 3].map(() => own.unwrap(wrapped, 'context')))).toEqual([dataKey, dataKey, dataKey]);
    expect(logins()).toBe(2);
    given = 0;
    server.says(engine(['t1', 't2'], lasting(3_600)));
    await expect(by(account()).unwrap(wrapped, 'context')).rejects.toMatchObject({ code: 'key_service_denied' });
    expect(logins()).toBe(2);
  });

  test.each([
    ['refuses', json(400, { errors: ['invalid role name'] }), 'key_service_denied'],
    ['gives no token', json(200, { auth: {} }), 'key_service_unavailable'],
    [
      'gives what is no token',
      json(200, { auth: { client_token: 'a\nb', lease_duration: 1 } }),
      'key_service_unavailable',
    ],
  ])('that the server %s has a code for it', async (_, answer, code) => {
    server.says(engine([], () => answer));
    await expect(by(account()).unwrap(wrapped, 'context')).rejects.toMatchObject({ code });
  });
});
