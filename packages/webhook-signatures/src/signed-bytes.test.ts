// What is signed is what is verified, byte for byte, for every scheme and whatever the bytes are.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { keyOf, newSecret } from './keys.ts';
import { defaultSettings, type SchemeName, type SignatureSettings } from './scheme.ts';
import { sign, verify } from './verify.ts';

const own: SignatureSettings = {
  ...defaultSettings.hmac,
  template: '{id}|{timestamp}|{body}|',
  timestampHeader: 'x-time',
  idHeader: 'x-id',
};
const schemes: [SchemeName, SignatureSettings | null][] = [
  ['standard', null],
  ['github', null],
  ['slack', null],
  ['stripe', null],
  ['shopify', null],
  ['hmac', own],
];
const bytes = fc.uint8Array({ maxLength: 300 });
const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
const timestamps = fc.integer({ min: 1, max: 4_000_000_000 });

describe.each(schemes)('%s', (scheme, settings) => {
  const secret = newSecret(scheme, settings) ?? '';
  const keys = [keyOf(scheme, secret, { use: 'verify', settings })];
  const verdict = (headers: Record<string, string>, body: Uint8Array, timestamp: number) =>
    verify({
      scheme,
      settings,
      header: name => headers[name],
      body,
      keys,
      now: new Date(timestamp * 1_000),
      toleranceSeconds: 300,
    }).verdict;

  test('any bytes that were signed are accepted', () => {
    fc.assert(
      fc.property(ids, timestamps, bytes, (id, timestamp, body) => {
        expect(verdict(sign({ scheme, settings, secret, id, timestamp, body }), body, timestamp)).toBe('valid');
      }),
    );
  });

  test('any other bytes are refused, also those that mean the same', () => {
    fc.assert(
      fc.property(ids, timestamps, bytes, bytes, (id, timestamp, body, other) => {
        fc.pre(Buffer.compare(body, other) !== 0);
        expect(verdict(sign({ scheme, settings, secret, id, timestamp, body }), other, timestamp)).toBe('signature');
      }),
    );
    fc.assert(
      fc.property(fc.json(), timestamps, (json, timestamp) => {
        const body = Buffer.from(json);
        const again = Buffer.from(JSON.stringify(JSON.parse(json), null, 1));
        fc.pre(!body.equals(again));
        expect(verdict(sign({ scheme, settings, secret, id: 'i', timestamp, body }), again, timestamp)).toBe(
          'signature',
        );
      }),
    );
  });

  test('no byte can move between id, timestamp and body', () => {
    fc.assert(
      fc.property(
        ids,
        timestamps,
        bytes,
        ids,
        timestamps,
        bytes,
        (id, timestamp, body, otherId, otherTime, otherBody) => {
          const headers = sign({ scheme, settings, secret, id, timestamp, body });
          const others = sign({ scheme, settings, secret, id: otherId, timestamp: otherTime, body: otherBody });
          const same = JSON.stringify(headers) === JSON.stringify(others);
          fc.pre(!same && Buffer.compare(body, otherBody) !== 0);
          // The other request's headers, with this one's body.
          expect(verdict(others, body, otherTime)).toBe('signature');
        },
      ),
    );
  });
});

describe('a scheme of a partner’s own', () => {
  const at = 1_700_000_000;
  const secret = newSecret('hmac', own) ?? '';
  const sent = (template: string, { id, body }: { id: string; body: string }) => {
    const settings = { ...own, template, timestampHeader: template.includes('{timestamp}') ? 'x-time' : null };
    const message = { id, timestamp: at, body: Buffer.from(body) };
    const headers = sign({ scheme: 'hmac', settings, secret, ...message });
    const keys = [keyOf('hmac', secret, { use: 'verify', settings })];
    const given = { scheme: 'hmac', settings, header: (name: string) => headers[name], body: message.body } as const;
    return {
      signature: headers['x-signature'],
      verdict: verify({ ...given, keys, now: new Date(at * 1_000), toleranceSeconds: 300 }).verdict,
    };
  };

  test.each([
    ['{id}.{body}', ['E', '{"amount":1.5,"to":"x.y"}'], ['E.{"amount":1', '5,"to":"x.y"}']],
    ['{id}::{body}', ['E', ':{}'], ['E:', '{}']],
    ['v1:{timestamp}.{id}.{body}', ['E', '1.5'], ['E.1', '5']],
    ['{timestamp}{id}.{body}', ['E', '1.5'], ['E.1', '5']],
    ['{id}.{timestamp}{body}', ['E', `.${at}{}`], [`E.${at}`, '{}']],
    ['{body}.{id}', ['E', '1.5'], ['5.E', '1']],
    ['{body}::{id}!', ['E', '{}:'], [':E', '{}']],
    ['{body}.{id}{timestamp}', ['E', '1.5'], ['5.E', '1']],
  ] as const)('that signs %s has one reading: what could move the border is malformed', (template, one, other) => {
    const [genuine, forged] = [one, other].map(([id, body]) => sent(template, { id, body }));
    expect(genuine?.verdict).toBe('valid');
    expect(forged?.signature).toBe(genuine?.signature);
    expect(forged?.verdict).toBe('malformed');
  });
});
