// What samples are made of is what the verifier takes: a request that is put together by hand from recipe and example
// is valid.
import { createHmac, createPrivateKey, createPublicKey, sign as signBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { keyOf, type SchemeName, defaultSettings as signatures, verify } from '@reeve/webhook-signatures';
import { identify } from '../deliveries/delivery.ts';
import { defaultSettings, type Endpoint, idSource } from '../endpoints/endpoint.ts';
import { exampleOf, recipeOf } from './example.ts';
import { languages, render } from './languages.ts';

const endpointOf = (settings: Partial<Endpoint>): Endpoint => ({
  ...defaultSettings,
  connectorId: 'partner',
  installationId: null,
  scheme: 'standard',
  signature: null,
  status: 'active',
  secrets: [],
  createdAt: '',
  ...settings,
});

const own = {
  ...signatures.hmac,
  header: 'x-partner-signature',
  prefix: 'sig=',
  encoding: 'base64url',
  digest: 'sha512',
  template: '{id}|{timestamp}|{body}',
  timestampHeader: 'x-partner-time',
  timestampUnit: 'ms',
  idHeader: 'x-partner-id',
  secretEncoding: 'base64',
} as const;

const secrets: Record<SchemeName, string> = {
  standard: `whsec_${Buffer.alloc(32, 1).toString('base64')}`,
  github: 'a secret',
  slack: 'a secret',
  stripe: 'whsec_a_secret',
  shopify: 'a secret',
  hmac: Buffer.alloc(32, 2).toString('base64'),
  ed25519: '',
};

describe.each(Object.keys(secrets) as SchemeName[])('%s', scheme => {
  const signature = scheme === 'hmac' ? own : scheme === 'ed25519' ? signatures.ed25519 : null;
  const endpoint = endpointOf({
    scheme,
    signature,
    orderingKeyFrom: 'body:/data/key',
    sequenceFrom: 'header:x-sequence',
  });
  const recipe = recipeOf(endpoint, scheme === 'ed25519' ? 'ed25519' : 'hmac');
  const example = exampleOf(endpoint, { id: 'evt_1', orderingKey: 'k', sequence: 1, type: 'example.created' });

  test('a request made from the recipe is verified, and one over other bytes is not', () => {
    const seconds = 1_700_000_000;
    const values = { id: 'evt_1', timestamp: String(seconds * recipe.timestampFactor), body: example.body };
    const fill = (template: string, more: Record<string, string> = {}) =>
      template.replaceAll(/\{(\w+)\}/g, (_, name: string) => ({ ...values, ...more })[name] ?? '');
    const privateKey = createPrivateKey({
      key: Buffer.from(`302e020100300506032b657004220420${Buffer.alloc(32, 3).toString('hex')}`, 'hex'),
      format: 'der',
      type: 'pkcs8',
    });
    const signed = fill(recipe.signed);
    const bytes =
      recipe.kind === 'ed25519'
        ? signBytes(null, Buffer.from(signed), privateKey)
        : createHmac(
            recipe.digest,
            Buffer.from(secrets[scheme].replace(recipe.secretPrefix, ''), recipe.secretEncoding),
          )
            .update(signed)
            .digest();
    const headers = Object.fromEntries(
      Object.entries(recipe.headers).map(([name, value]) => [
        name,
        fill(value, { signature: bytes.toString(recipe.encoding) }),
      ]),
    );
    const publicKey = createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
    const secret = scheme === 'ed25519' ? publicKey : secrets[scheme];
    const given = {
      scheme,
      settings: signature,
      header: (name: string) => headers[name],
      keys: [keyOf(scheme, secret, { use: 'verify', settings: signature })],
      now: new Date(seconds * 1_000),
      toleranceSeconds: 300,
    } as const;
    expect(verify({ ...given, body: Buffer.from(example.body) }).verdict).toBe('valid');
    expect(verify({ ...given, body: Buffer.from(`${example.body} `) }).verdict).toBe('signature');
  });

  test('an example has key and sequence where the endpoint looks for them', () => {
    expect(JSON.parse(example.body)).toMatchObject({ type: 'example.created', data: { key: 'k' } });
    expect(example.headers).toMatchObject({ 'x-sequence': '1' });
  });

  test('a sample in each language names the URL and takes the secret from its environment', () => {
    for (const language of languages) {
      const source = render(language, { recipe, example, url: 'https://hooks.example/hooks/whe_1' });
      expect(source).toContain('https://hooks.example/hooks/whe_1');
      expect(source).toContain('SECRET');
    }
  });
});

describe('an example', () => {
  const values = { id: 'evt_1', orderingKey: 'k', sequence: 1, type: 'example.created' };
  const identified = (settings: Partial<Endpoint>) => {
    const endpoint = endpointOf(settings);
    const { body } = exampleOf(endpoint, values);
    const receiver = { endpoint, idSource: idSource(endpoint) } as Parameters<typeof identify>[0];
    const { webhookId, orderingKey, sequence } = identify(receiver, {
      header: () => undefined,
      body: Buffer.from(body),
      signedBytesSha256: () => 'f00',
    });
    return { body, found: [webhookId, orderingKey, sequence] };
  };

  test.each([
    ['/a/500000', '/500000/0', '/a/-'],
    ['/items/0/id', '/items/0/key', '/items/1'],
    ['/a'.repeat(97), `${'/'.repeat(194)}a`, '/9'.repeat(97)],
    ['/__proto__/id', '/constructor/prototype/key', '/__proto__/toString'],
    ['/a~1b/~01', '/a~1b/~0', '/'],
    ['/type/id', '/type/key', '/n'],
  ])('is small and has what the endpoint looks for at %s, %s and %s', (id, key, sequence) => {
    const { body, found } = identified({
      idFrom: `body:${id}`,
      orderingKeyFrom: `body:${key}`,
      sequenceFrom: `body:${sequence}`,
    });
    expect(found).toEqual(['evt_1', 'k', 1]);
    expect(body.length).toBeLessThan(3_000);
    expect({}).not.toHaveProperty('id');
  });

  test('of an endpoint that was made with places within one another leaves out what no body can hold', () => {
    const [inner, outer] = ['body:/a/b/c', 'body:/a'] as const;
    const down = identified({ idFrom: outer, orderingKeyFrom: 'body:/a/b', sequenceFrom: inner });
    expect(down.found).toEqual(['evt_1', '', null]);
    const { body } = exampleOf(endpointOf({ idFrom: inner, orderingKeyFrom: outer, sequenceFrom: outer }), values);
    expect(JSON.parse(body)).toEqual({ type: 'example.created', a: { b: { c: 'evt_1' } } });
  });
});
