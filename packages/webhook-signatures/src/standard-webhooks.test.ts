import { describe, expect, test } from '@jest/globals';
import { newStandardSecret, signStandard, verifyStandard } from './standard-webhooks.ts';

// The vector of the specification's own documentation.
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const timestamp = '1614265330';
const body = Buffer.from('{"test": 2432232314}');
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';
const at = (seconds: number) => new Date((1614265330 + seconds) * 1000);
const input = { headers: { id, timestamp, signature }, body, secrets: [secret], now: at(0), toleranceSeconds: 300 };

describe('Standard Webhooks v1', () => {
  test('signs as the specification’s vector', () => {
    expect(signStandard(secret, { id, timestamp }, body)).toBe(signature);
  });

  test('accepts the vector, with or without the secret’s prefix', () => {
    expect(verifyStandard(input)).toBe('valid');
    expect(verifyStandard({ ...input, secrets: [secret.slice('whsec_'.length)] })).toBe('valid');
  });

  test('accepts when any of several secrets and any of several signatures match', () => {
    const headers = { id, timestamp, signature: `v2,AAAA v1,${Buffer.alloc(32).toString('base64')} ${signature}` };
    expect(verifyStandard({ ...input, headers, secrets: [newStandardSecret(), secret] })).toBe('valid');
  });

  test.each([
    ['another secret', { secrets: [newStandardSecret()] }],
    ['no secret at all', { secrets: [] }],
    ['a body that was serialised again', { body: Buffer.from(JSON.stringify(JSON.parse(body.toString()))) }],
    ['an empty body', { body: Buffer.alloc(0) }],
    ['a truncated signature', { headers: { id, timestamp, signature: signature.slice(0, -4) } }],
    ['an empty v1 signature', { headers: { id, timestamp, signature: 'v1,' } }],
    ['an unknown version', { headers: { id, timestamp, signature: signature.replace('v1', 'v2') } }],
    ['another id', { headers: { id: 'msg_other', timestamp, signature } }],
    ['another timestamp', { headers: { id, timestamp: '1614265331', signature } }],
  ])('refuses %s', (_, change) => {
    expect(verifyStandard({ ...input, ...change })).toBe('signature');
  });

  test.each(['1614265330abc', ' 1614265330', '1e9', '-1', '', '1614265330.5', 'hello'])(
    'takes the timestamp %j for malformed',
    bad => {
      expect(verifyStandard({ ...input, headers: { id, timestamp: bad, signature } })).toBe('malformed');
    },
  );

  test('an id with a dot is malformed, since it could move the border between id and timestamp', () => {
    expect(verifyStandard({ ...input, headers: { id: 'msg.1', timestamp, signature } })).toBe('malformed');
  });

  test('the tolerance holds to the second, both ways', () => {
    expect(verifyStandard({ ...input, now: at(300) })).toBe('valid');
    expect(verifyStandard({ ...input, now: at(301) })).toBe('too_old');
    expect(verifyStandard({ ...input, now: at(-300) })).toBe('valid');
    expect(verifyStandard({ ...input, now: at(-301) })).toBe('too_new');
  });

  test('bytes that are not UTF-8 are signed and checked as they are', () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x80]);
    const signed = signStandard(secret, { id, timestamp }, bytes);
    expect(verifyStandard({ ...input, headers: { id, timestamp, signature: signed }, body: bytes })).toBe('valid');
    expect(
      verifyStandard({
        ...input,
        headers: { id, timestamp, signature: signed },
        body: Buffer.from(bytes.toString('utf8')),
      }),
    ).toBe('signature');
  });

  test('a secret that is too short is an error, not an empty key', () => {
    expect(() => signStandard('whsec_', { id, timestamp }, body)).toThrow('at least 24 bytes');
  });
});
