// A provider that does not lie in what it says but in how: slowly, at length, elsewhere, or not at all; and how often
// it is asked while tokens come that none of its keys has signed.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type IdentityProvider, type Lies, newProviderKey, signedBy, startIdentityProvider } from '@reeve/testing';
import { connected, endOf } from './oidc.test-support.ts';

const timeoutMs = 500;
let provider: IdentityProvider;

beforeAll(async () => {
  provider = await startIdentityProvider();
  // It lacks the name, so that UserInfo is asked.
  provider.is({ sub: 'ada', email: 'ada@acme.example' });
});
afterAll(() => provider.stop());
beforeEach(() => provider.lies(truth()));

const truth = (): Lies => ({
  discovery: { userinfo_endpoint: `${provider.issuer}/userinfo` },
  userInfo: () => ({ sub: 'ada', name: 'Ada' }),
});

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
const json = { 'content-type': 'application/json' };

const drips: Answer = (_, response) => {
  response.writeHead(200, json);
  const timer = setInterval(() => response.write(' '), 50);
  response.on('close', () => clearInterval(timer));
};
const isSilent: Answer = () => undefined;
/** Ten megabytes, which nobody reads to the end. */
const floods: Answer = (_, response) => {
  response.writeHead(200, json);
  response.write('{"x":"');
  for (let sent = 0; sent < 10; sent += 1) response.write('x'.repeat(1_000_000));
  response.end('"}');
};
const leadsElsewhere: Answer = (_, response) => void response.writeHead(302, { location: '/elsewhere' }).end();
const fails: Answer = (_, response) => void response.writeHead(500, json).end('{}');
const saysNoJson: Answer = (_, response) => void response.writeHead(200, json).end('<html>');
const hangsUp: Answer = request => void request.socket.destroy();

const paths = {
  discovery: '/.well-known/openid-configuration',
  keys: '/keys',
  token: '/token',
  userInfo: '/userinfo',
};

const cases: [how: string, answer: Answer, ends: Record<keyof typeof paths, string>][] = [
  [
    'drips bytes',
    drips,
    { discovery: 'connection_unreachable', keys: 'provider_timeout', token: 'provider_timeout', userInfo: 'user_info' },
  ],
  [
    'is silent',
    isSilent,
    { discovery: 'connection_unreachable', keys: 'provider_timeout', token: 'provider_timeout', userInfo: 'user_info' },
  ],
  [
    'answers ten megabytes',
    floods,
    {
      discovery: 'url_refused',
      keys: 'provider_url_refused',
      token: 'provider_url_refused',
      userInfo: 'user_info',
    },
  ],
  [
    'leads elsewhere',
    leadsElsewhere,
    {
      discovery: 'connection_unreachable',
      keys: 'provider_response',
      token: 'provider_response',
      userInfo: 'user_info',
    },
  ],
  [
    'fails',
    fails,
    {
      discovery: 'connection_unreachable',
      keys: 'provider_response',
      token: 'provider_response',
      userInfo: 'user_info',
    },
  ],
  [
    'says what is no JSON',
    saysNoJson,
    {
      discovery: 'connection_unreachable',
      keys: 'provider_response',
      token: 'provider_response',
      userInfo: 'user_info',
    },
  ],
  [
    'hangs up',
    hangsUp,
    {
      discovery: 'connection_unreachable',
      keys: 'provider_unreachable',
      token: 'provider_unreachable',
      userInfo: 'user_info',
    },
  ],
];
const each = cases.flatMap(([how, answer, ends]) =>
  Object.entries(ends).map(([what, end]) => [what as keyof typeof paths, how, answer, end] as const),
);

describe('a sign-in is refused within the limit', () => {
  test.each(each)('when %s %s', async (what, _, answer, end) => {
    const answers = { [paths[what]]: answer };
    if (what === 'discovery') {
      provider.lies({ ...truth(), answers });
      const began = performance.now();
      expect(await endOf(connected(provider, { timeoutMs }))).toBe(end);
      expect(performance.now() - began).toBeLessThan(timeoutMs * 6);
      provider.lies(truth());
      expect(await endOf(connected(provider, { timeoutMs }))).toBe('accepted');
      return;
    }
    const one = await connected(provider, { timeoutMs });
    const begun = await one.begun();
    provider.lies({ ...truth(), answers });
    const began = performance.now();
    expect(await endOf(one.kind.complete(one.at, begun))).toBe(end);
    expect(performance.now() - began).toBeLessThan(timeoutMs * 6);
    provider.lies(truth());
    // What failed may be asked again in a second.
    const two = await connected(provider, { timeoutMs });
    expect(await endOf(two.signIn())).toBe('accepted');
  });

  test('and nobody follows where it leads', () => {
    expect(provider.requests.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });

  test('when an address leads inside, with a name for it', async () => {
    const inside = { ...truth().discovery, jwks_uri: 'https://169.254.169.254/keys' };
    provider.lies({ ...truth(), discovery: inside });
    const one = await connected(provider, { timeoutMs });
    expect(await endOf(one.signIn())).toBe('provider_url_refused');
  });
});

describe('keys', () => {
  let fetched = 0;
  const counting = (more: Lies = {}): Lies => ({
    ...truth(),
    keys: async () => {
      fetched += 1;
      return { keys: [current.jwk] };
    },
    idToken: claims => signedBy(current, claims),
    ...more,
  });
  let current: Awaited<ReturnType<typeof newProviderKey>>;
  beforeEach(async () => {
    current = await newProviderKey();
    fetched = 0;
  });

  test('are fetched a few times for a thousand sign-ins by keys that nobody has, at once and one by one', async () => {
    const stranger = await newProviderKey();
    provider.lies(counting({ idToken: claims => signedBy(stranger, claims) }));
    const one = await connected(provider, { timeoutMs: 30_000 });
    const begun: Awaited<ReturnType<typeof one.begun>>[] = [];
    for (let round = 0; round < 20; round += 1)
      begun.push(...(await Promise.all(Array.from({ length: 50 }, () => one.begun()))));
    const ends = new Set<string>();
    for (let from = 0; from < begun.length; from += 250)
      for (const end of await Promise.all(
        begun.slice(from, from + 250).map(each => endOf(one.kind.complete(one.at, each))),
      ))
        ends.add(end);
    for (let round = 0; round < 30; round += 1) ends.add(await endOf(one.signIn()));
    expect([...ends]).toEqual(['id_token_signature']);
    expect(fetched).toBeGreaterThan(1);
    expect(fetched).toBeLessThanOrEqual(6);
    // A renewal comes back after a while, and whoever is known goes on.
    provider.lies(counting());
    expect(await endOf(one.signIn())).toBe('accepted');
  }, 60_000);

  test('that have changed are there for a hundred sign-ins at once, and fetched once', async () => {
    provider.lies(counting());
    const one = await connected(provider, { timeoutMs: 30_000 });
    expect(await endOf(one.signIn())).toBe('accepted');
    expect(fetched).toBe(1);
    current = await newProviderKey();
    const ends = await Promise.all(Array.from({ length: 100 }, () => endOf(one.signIn())));
    expect(new Set(ends)).toEqual(new Set(['accepted']));
    expect(fetched).toBeLessThanOrEqual(3);
  }, 30_000);

  test('that cannot be had are asked for once a second', async () => {
    provider.lies(
      counting({
        keys: () => {
          fetched += 1;
          return 'no keys';
        },
      }),
    );
    const one = await connected(provider);
    const began = performance.now();
    const ends = [];
    for (let round = 0; round < 20; round += 1) ends.push(await endOf(one.signIn()));
    expect(new Set(ends)).toEqual(new Set(['provider_response']));
    expect(fetched).toBeLessThanOrEqual(1 + Math.ceil((performance.now() - began) / 1_000));
  });
});
