import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startService } from './service.test-support.ts';

const [first, last] = [
  { tenantId: 'ten_1', secretClass: 'connection' },
  { tenantId: 'ten_2', secretClass: 'connection' },
];

let service: Awaited<ReturnType<typeof startService>>;
let url = '';
let answers: object[] = [];

beforeAll(async () => {
  service = await startService(() => {
    const body = answers.shift();
    return body ? { body } : { status: 503, body: { code: 'key_service_unavailable', detail: 'away' } };
  });
  url = service.origin;
});
afterAll(() => service.stop());

const reeve = (...args: string[]) => service.run('vault', ...args);
const bodies = () => service.asked().map(({ body }) => body as { after?: object; everything?: boolean });

test('the portions of a service are added up, and what wraps is marked', async () => {
  const newest = { kind: 'transit', keyId: 'reeve:v2' };
  const old = { kind: 'key_file', keyId: 'k1' };
  answers = [
    { newest, items: [{ ...old, dataKeys: 3 }], next: first },
    {
      newest,
      items: [
        { ...old, dataKeys: 1 },
        { ...newest, dataKeys: 2 },
      ],
      next: null,
    },
  ];
  const { code, out } = await reeve('status', '--service', url);
  expect([code, out.trim().split('\n')]).toEqual([
    0,
    [url, '  key_file  k1  4 data keys', '  transit  reeve:v2  2 data keys  wraps'],
  ]);
  expect(bodies().map(({ after }) => after)).toEqual([undefined, first]);
});

test('a service that the issuer does not know is said by its code, and the others are shown all the same', async () => {
  const newest = { kind: 'key_file', keyId: 'k1' };
  answers = [{ newest, items: [{ ...newest, dataKeys: 3 }], next: null }];
  const unknown = 'http://127.0.0.1:1/';
  const { code, out, err } = await reeve('status', '--service', unknown, url);
  expect({ code, out, err }).toEqual({
    code: 2,
    out: expect.stringContaining('key_file  k1  3 data keys  wraps'),
    err: `reeve: ${unknown}: the issuer answered invalid_target\n`,
  });
});

test('portions are wrapped anew until there is none, with progress', async () => {
  answers = [
    { looked: 200, rewrapped: 150, failed: [], next: first },
    { looked: 20, rewrapped: 20, failed: [], next: null },
  ];
  const { code, out } = await reeve('rewrap', '--service', url);
  expect([code, out.trim().split('\n')]).toEqual([
    0,
    [
      `${url}: 200 data keys looked at, 150 wrapped anew; next ten_1/connection`,
      `${url}: 220 data keys looked at, 170 wrapped anew`,
    ],
  ]);
  expect(bodies()).toEqual([{ everything: false }, { everything: false, after: first }]);
});

test('where it breaks off it says how to go on, which does', async () => {
  answers = [{ looked: 200, rewrapped: 200, failed: [], next: first }];
  const broken = await reeve('rewrap', '--service', url);
  expect([broken.code, broken.err]).toEqual([2, expect.stringContaining(`--service ${url} --after ten_1/connection`)]);
  expect(broken.err).toContain('key_service_unavailable');
  answers = [{ looked: 1, rewrapped: 1, failed: [], next: null }];
  expect((await reeve('rewrap', '--service', url, '--everything', '--after', 'ten_1/connection')).code).toBe(0);
  expect(bodies().at(-1)).toEqual({ everything: true, after: first });
});

test('what does not open is named, and ends with 1', async () => {
  answers = [{ looked: 2, rewrapped: 1, failed: [{ ...last, code: 'does_not_open' }], next: null }];
  const { code, err } = await reeve('rewrap', '--service', url);
  expect([code, err]).toEqual([1, expect.stringContaining('ten_2/connection was left as it is: does_not_open')]);
});

test.each([
  [['rewrap'], "required option '--service <url...>' not specified"],
  [['rewrap', '--service', 'a', 'b', '--after', 'ten_1/x'], '--after is for one --service'],
  [['rewrap', '--service', 'a', '--after', 'ten_1'], '--after has to be <tenant>/<class>'],
])('%j is refused, and nothing is asked', async (args, complaint) => {
  const { code, err } = await reeve(...args);
  expect([code, err]).toEqual([2, expect.stringContaining(complaint)]);
  expect(service.asked()).toEqual([]);
});
