// The signatures themselves are tested in packages/webhook-signatures; here, what the door makes of what it is given.
import { describe, expect, test } from '@jest/globals';
import { newStandardKeyPair, newWebhookSecret, SecretFormError, signWebhook, verifyWebhook } from './webhooks.ts';

const body = '{"type":"message.created"}';
const secret = newWebhookSecret() ?? '';
const signed = () => signWebhook({ secret, id: 'msg_1', body });
const refused = (why: string) =>
  expect.objectContaining({ code: 'webhook_refused', message: expect.stringContaining(why) });

describe('a webhook', () => {
  test('that is signed is accepted, by any secret that is live, and named', () => {
    for (const headers of [signed(), new Headers(signed()), { 'WEBHOOK-ID': 'msg_1', ...withoutId(signed()) }])
      expect(verifyWebhook({ secrets: [newWebhookSecret() ?? '', secret], headers, body })).toEqual({ id: 'msg_1' });
    const { privateKey, publicKey } = newStandardKeyPair();
    const headers = signWebhook({ secret: privateKey, id: 'msg_2', body: Buffer.from(body) });
    expect(verifyWebhook({ secrets: [publicKey], headers, body: Buffer.from(body) })).toEqual({ id: 'msg_2' });
  });

  test('of another scheme is accepted where that is said, and nowhere else', () => {
    const scheme = 'hmac';
    const settings = { header: 'x-own', prefix: 'sig=' };
    const headers = signWebhook({ scheme, settings, secret: 'a secret', id: 'x', body });
    expect(verifyWebhook({ scheme, settings, secrets: ['a secret'], headers, body })).toEqual({ id: null });
    expect(() => verifyWebhook({ secrets: [secret], headers, body })).toThrow(refused('malformed'));
  });

  test('is refused with another body, another secret, too late, too early, and with a header twice', () => {
    const headers = signed();
    const secrets = [secret];
    expect(() => verifyWebhook({ secrets, headers, body: `${body} ` })).toThrow(refused('signature'));
    expect(() => verifyWebhook({ secrets: [newWebhookSecret() ?? ''], headers, body })).toThrow(refused('signature'));
    const at = (ms: number) => new Date(Date.now() + ms);
    expect(() => verifyWebhook({ secrets, headers, body, now: at(400_000) })).toThrow(refused('too_old'));
    expect(() => verifyWebhook({ secrets, headers, body, now: at(-400_000) })).toThrow(refused('too_new'));
    for (const twice of [
      { ...headers, 'webhook-id': ['msg_1', 'msg_1'] },
      { ...headers, 'Webhook-Id': 'msg_1' },
    ])
      expect(() => verifyWebhook({ secrets, headers: twice, body })).toThrow(refused('malformed'));
    expect(() => verifyWebhook({ secrets: ['short'], headers, body })).toThrow(SecretFormError);
  });
});

const withoutId = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'webhook-id'));
