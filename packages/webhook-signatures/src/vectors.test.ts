// Each scheme against the vector that its provider, or docs of ours where there is none, gives.
import { createHmac, createPublicKey, sign as signBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { keyOf, newSecret, newStandardKeyPair, SecretFormError } from './keys.ts';
import { defaultSettings, type SchemeName, type SignatureSettings } from './scheme.ts';
import { schemeOf } from './schemes.ts';
import { sign, type Verification, verify } from './verify.ts';

type Vector = {
  scheme: SchemeName;
  settings?: SignatureSettings;
  secret: string;
  /** Where it signs with another key than it verifies with. */
  signWith?: string;
  headers: Record<string, string>;
  body: string | Buffer;
  /** Unix seconds at which it was sent. */
  at: number;
};

const vectors: Record<string, Vector> = {
  'Standard Webhooks v1': {
    scheme: 'standard',
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    headers: {
      'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    },
    body: '{"test": 2432232314}',
    at: 1_614_265_330,
  },
  GitHub: {
    scheme: 'github',
    secret: "It's a Secret to Everybody",
    headers: {
      'x-github-delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      'x-hub-signature-256': 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    },
    body: 'Hello, World!',
    at: 1_614_265_330,
  },
  Slack: {
    scheme: 'slack',
    secret: '8f742231b10e8888abcd99yyyzzz85a5',
    headers: {
      'x-slack-request-timestamp': '1531420618',
      'x-slack-signature': 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
    },
    body: 'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
    at: 1_531_420_618,
  },
  Stripe: {
    scheme: 'stripe',
    secret: 'whsec_test_secret',
    headers: {
      'stripe-signature': 't=1614265330,v1=e135cdbed3dda004bf8a2fb350f2541d299393c770e0b9e6e319dc595e9072aa',
    },
    body: '{"id":"evt_1"}',
    at: 1_614_265_330,
  },
  Shopify: {
    scheme: 'shopify',
    secret: 'hush',
    headers: {
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
      'x-shopify-hmac-sha256': 'VnKUjZsLuN5iZWjn5EntcBVCF9kMN43LglzCE1/GSeY=',
    },
    body: '{"id":1}',
    at: 1_614_265_330,
  },
};

/** What has no published vector: signed here, so that the refusals below hold for it too. */
function ownVectors(): Record<string, Vector> {
  const at = 1_614_265_330;
  const pair = newStandardKeyPair();
  const settings: SignatureSettings = {
    ...defaultSettings.hmac,
    header: 'x-partner-signature',
    prefix: 'sig=',
    encoding: 'base64url',
    digest: 'sha512',
    template: '{id}:{timestamp}:{body}:end',
    timestampHeader: 'x-partner-time',
    timestampUnit: 'ms',
    idHeader: 'x-partner-id',
    secretEncoding: 'hex',
  };
  const hmacSecret = newSecret('hmac', settings) ?? '';
  const seed = Buffer.alloc(32, 7);
  const ed25519 = { scheme: 'ed25519', settings: defaultSettings.ed25519 } as const;
  const body = '{"a": "ü"}';
  const common = { id: 'evt_1', timestamp: at, body: Buffer.from(body) };
  const publicOf = (secret: string) => keyOf('ed25519', secret, { use: 'sign', settings: null }).key;
  return {
    'Standard Webhooks v1a': {
      scheme: 'standard',
      secret: pair.publicKey,
      signWith: pair.privateKey,
      headers: sign({ scheme: 'standard', settings: null, secret: pair.privateKey, ...common }),
      body,
      at,
    },
    'a partner’s own HMAC': {
      scheme: 'hmac',
      settings,
      secret: hmacSecret,
      headers: sign({ scheme: 'hmac', settings, secret: hmacSecret, ...common }),
      body,
      at,
    },
    'Ed25519 as Discord signs': {
      ...ed25519,
      secret: rawPublicKey(publicOf(seed.toString('hex'))),
      signWith: seed.toString('hex'),
      headers: sign({ ...ed25519, secret: seed.toString('hex'), ...common }),
      body,
      at,
    },
  };
}

function rawPublicKey(privateKey: ReturnType<typeof keyOf>['key']): string {
  return createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
}

function given({ scheme, settings, secret, headers, body, at }: Vector): Verification {
  return {
    scheme,
    settings: settings ?? null,
    header: name => headers[name],
    body: Buffer.from(body as string),
    keys: [keyOf(scheme, secret, { use: 'verify', settings: settings ?? null })],
    now: new Date(at * 1_000),
    toleranceSeconds: 300,
  };
}

/** The time in the unit of the vector's scheme. */
const timeOf = ({ at, settings }: Vector) => (settings?.timestampUnit === 'ms' ? at * 1_000 : at);

/** The vector with its time written as `text`, and signed over that text. */
function signedAt(vector: Vector, text: string): Verification {
  const { scheme, settings = null, secret, signWith = secret, at: timestamp, body } = vector;
  const definition = schemeOf(scheme, settings);
  const { kind, key } = keyOf(scheme, signWith, { use: 'sign', settings });
  const written = String(timeOf(vector));
  const { before, after } = definition.around({ id: 'msg_1', timestamp });
  const signed = Buffer.from(`${before}${body.toString()}${after}`.replace(written, text));
  const signature =
    kind === 'hmac' ? createHmac(definition.digest, key).update(signed).digest() : signBytes(null, signed, key);
  const headers = definition.write({ id: 'msg_1', timestamp, signature, kind });
  return { ...given(vector), header: name => headers[name]?.replace(written, text) };
}

const all = Object.entries({ ...vectors, ...ownVectors() });
const timed = all.filter(([name]) => name !== 'GitHub' && name !== 'Shopify');
const signatureHeaderOf = ({ headers }: Vector) =>
  Object.keys(headers).find(name => /signature|hmac/.test(name) && !/timestamp/.test(name)) ?? '';

describe.each(all)('%s', (_name, vector) => {
  const valid = given(vector);
  const withHeader = (name: string, value: string | undefined): Verification => ({
    ...valid,
    header: asked => (asked === name ? value : vector.headers[asked]),
  });

  test('is accepted', () => {
    expect(verify(valid).verdict).toBe('valid');
  });

  test('one byte more or less in the body is refused', () => {
    for (const body of [Buffer.concat([valid.body, Buffer.from(' ')]), valid.body.subarray(1), Buffer.alloc(0)])
      expect(verify({ ...valid, body }).verdict).toBe('signature');
  });

  test('every flipped bit of the body is refused', () => {
    for (let bit = 0; bit < valid.body.length * 8; bit += 13) {
      const body = Buffer.from(valid.body);
      body[bit >> 3] = (body[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(verify({ ...valid, body }).verdict).toBe('signature');
    }
  });

  test('without a live key nothing is accepted', () => {
    expect(verify({ ...valid, keys: [] }).verdict).toBe('signature');
  });

  test('a missing header is malformed', () => {
    for (const name of Object.keys(vector.headers).filter(
      one => !/delivery|webhook-id|partner-id/.test(one) || one === 'webhook-id',
    ))
      expect(verify(withHeader(name, undefined)).verdict).toBe('malformed');
  });

  test('a truncated, an empty and a foreign signature are refused', () => {
    const name = signatureHeaderOf(vector);
    const whole = vector.headers[name] ?? '';
    for (const bad of [whole.slice(0, -3), `${whole}A`, '', 'v1,', 'sha256=', 'sha1=abc', `v9${whole}`])
      expect(['signature', 'malformed']).toContain(verify(withHeader(name, bad)).verdict);
  });
});

describe.each(timed)('the time of %s', (_name, vector) => {
  test('holds to the second, both ways', () => {
    const valid = given(vector);
    const at = (seconds: number) => verify({ ...valid, now: new Date((vector.at + seconds) * 1_000 + 700) }).verdict;
    expect([at(300), at(301), at(-300), at(-301)]).toEqual(['valid', 'too_old', 'valid', 'too_new']);
  });

  test('is written as a number is, in one way: anything else is malformed, even where it is what was signed', () => {
    const sending = (text: string) => verify(signedAt(vector, text)).verdict;
    const at = String(timeOf(vector));
    expect(sending(at)).toBe('valid');
    const others = [
      `0${at}`,
      `000${at}`,
      `+${at}`,
      `-${at}`,
      ` ${at}`,
      `${at} `,
      `${at}.0`,
      `${at}e0`,
      `0x${at}`,
      `${at}abc`,
    ];
    for (const text of [...others, '', '1e9', '-1', 'hello', '１６１４２６５３３０', `${at}0000000`])
      expect([text, sending(text)]).toEqual([text, 'malformed']);
  });
});

describe('keys', () => {
  const [first] = all;
  if (!first) throw new Error('there is no vector');
  const valid = given(first[1]);

  test('any of several live keys is enough, and which one is told', () => {
    const other = keyOf('standard', newSecret('standard', null) ?? '', { use: 'verify', settings: null });
    expect(verify({ ...valid, keys: [other, ...valid.keys] })).toMatchObject({ verdict: 'valid', key: 1 });
    expect(verify({ ...valid, keys: [other] }).verdict).toBe('signature');
  });

  test('any of several signatures is enough; unknown versions are passed over', () => {
    const signature = vectors['Standard Webhooks v1']?.headers['webhook-signature'] ?? '';
    const header = (list: string) => (name: string) => (name === 'webhook-signature' ? list : first[1].headers[name]);
    expect(
      verify({ ...valid, header: header(`v2,AAAA v1,${Buffer.alloc(32).toString('base64')} ${signature}`) }).verdict,
    ).toBe('valid');
    expect(verify({ ...valid, header: header(signature.replace('v1,', 'v2,')) }).verdict).toBe('signature');
  });

  test('a key of one kind does not verify the other: an HMAC under the public key’s bytes is refused', () => {
    const pair = newStandardKeyPair();
    const raw = Buffer.from(pair.publicKey.slice(5), 'base64');
    const forged = sign({
      scheme: 'standard',
      settings: null,
      secret: `whsec_${raw.toString('base64')}`,
      id: 'msg_1',
      timestamp: 1_614_265_330,
      body: valid.body,
    });
    const keys = [keyOf('standard', pair.publicKey, { use: 'verify', settings: null })];
    expect(verify({ ...valid, header: name => forged[name], keys }).verdict).toBe('signature');
  });

  test('the id of Standard Webhooks holds no dot, since that could move the border to the timestamp', () => {
    const header = (name: string) => (name === 'webhook-id' ? 'msg.1' : first[1].headers[name]);
    expect(verify({ ...valid, header }).verdict).toBe('malformed');
  });

  test.each<[SchemeName, string]>([
    ['standard', 'whsec_'],
    ['standard', ''],
    ['standard', `whsec_${Buffer.alloc(23).toString('base64')}`],
    ['standard', `whsec_${Buffer.alloc(65).toString('base64')}`],
    ['standard', 'whpk_AAAA'],
    ['standard', newStandardKeyPair().privateKey],
    ['github', ''],
    ['ed25519', 'abc'],
    ['ed25519', '-----BEGIN PRIVATE KEY-----'],
  ])('%s does not take %j, and does not repeat it', (scheme, secret) => {
    const make = () => keyOf(scheme, secret, { use: 'verify', settings: null });
    expect(make).toThrow(SecretFormError);
    if (secret.length > 6) expect(make).not.toThrow(secret);
  });

  test('a new secret is one that its scheme takes', () => {
    for (const scheme of ['standard', 'github', 'slack', 'stripe', 'shopify', 'hmac'] as const)
      expect(keyOf(scheme, newSecret(scheme, null) ?? '', { use: 'verify', settings: null }).kind).toBe('hmac');
    expect(newSecret('ed25519', null)).toBeNull();
  });
});

describe('what a stranger can make of work', () => {
  const body = Buffer.from('{}');
  const at = 1_614_265_330;
  const pairs = Array.from({ length: 12 }, () => newStandardKeyPair());
  const signedBy = ({ privateKey }: { privateKey: string }) =>
    sign({ scheme: 'standard', settings: null, secret: privateKey, id: 'msg_1', timestamp: at, body });
  const forged = (version: string, bytes: number) => `${version},${Buffer.alloc(bytes, 7).toString('base64')}`;

  /** The verdict, and how often a key was put to work on the body. */
  function tried(secrets: readonly string[], signatures: readonly string[]) {
    let times = 0;
    const keys = secrets.map(secret => {
      const { kind, key } = keyOf('standard', secret, { use: 'verify', settings: null });
      return {
        kind,
        get key() {
          times += 1;
          return key;
        },
      };
    });
    const headers: Record<string, string> = {
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(at),
      'webhook-signature': signatures.join(' '),
    };
    const given = { scheme: 'standard', settings: null, toleranceSeconds: 300, now: new Date(at * 1_000) } as const;
    const { verdict } = verify({ ...given, header: name => headers[name], body, keys });
    return { verdict, times };
  }

  test('is one HMAC for each key, however many signatures there are', () => {
    const secrets = Array.from({ length: 5 }, () => newSecret('standard', null) ?? '');
    expect(
      tried(
        secrets,
        Array.from({ length: 16 }, () => forged('v1', 32)),
      ),
    ).toEqual({ verdict: 'signature', times: 5 });
  });

  test('is ten verifications with Ed25519, of the newest keys first', () => {
    const publicKeys = pairs.map(({ publicKey }) => publicKey);
    const flood = Array.from({ length: 16 }, () => forged('v1a', 64));
    expect(tried(publicKeys.slice(0, 5), flood)).toEqual({ verdict: 'signature', times: 10 });
    expect(tried(publicKeys, flood.slice(0, 1))).toEqual({ verdict: 'signature', times: 10 });
  });

  test('leaves room for five keys and two signatures, whichever they are, besides what counts for nothing', () => {
    const publicKeys = pairs.slice(0, 5).map(({ publicKey }) => publicKey);
    const passedOver = [forged('v1', 32), forged('v1a', 63), 'v2,AAAA'];
    for (const pair of pairs.slice(0, 5)) {
      const signature = signedBy(pair)['webhook-signature'] ?? '';
      for (const list of [[signature], [signature, forged('v1a', 64)], [forged('v1a', 64), signature]])
        expect(tried(publicKeys, [...passedOver, ...list]).verdict).toBe('valid');
    }
  });
});

test('Stripe’s v0 and other versions count for nothing, and two timestamps are malformed', () => {
  const vector = vectors['Stripe'] as Vector;
  const valid = given(vector);
  const header = vector.headers['stripe-signature'] ?? '';
  const verdict = (value: string) => verify({ ...valid, header: () => value }).verdict;
  expect(verdict(header.replace('v1=', 'v0='))).toBe('malformed');
  expect(verdict(`${header},v0=00`)).toBe('valid');
  expect(verdict(`t=1,${header}`)).toBe('malformed');
});
