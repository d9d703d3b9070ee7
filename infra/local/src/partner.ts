// A partner that sends webhooks, signed as Standard Webhooks.
import { randomUUID } from 'node:crypto';
import { sign } from '@reeve/webhook-signatures';

export type Webhook = { id: string; timestamp: string; signature: string; body: Buffer };

export function signedWebhook(
  secret: string,
  content: unknown,
  { id = `msg_${randomUUID()}`, at = new Date() }: { id?: string; at?: Date } = {},
): Webhook {
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const body = Buffer.from(JSON.stringify(content));
  const seconds = Number(timestamp);
  const headers = sign({ scheme: 'standard', settings: null, secret, id, timestamp: seconds, body });
  return { id, timestamp, body, signature: headers['webhook-signature'] ?? '' };
}

export function send(url: string, { id, timestamp, signature, body }: Webhook): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signature,
    },
    body: new Uint8Array(body),
  });
}
