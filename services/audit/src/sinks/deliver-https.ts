// Any HTTPS receiver: lines of the format chosen, signed as Standard Webhooks sign (https://www.standardwebhooks.com). A 2xx means that it has them.
import { formats } from '@reeve/audit-log';
import { sign } from '@reeve/webhook-signatures';
import { type Deliver, delivered, post, SinkError } from './delivery.ts';
import type { TargetOf } from './sink.ts';

export const deliverHttps: Deliver<TargetOf<'https'>> = async (
  network,
  { target: { url, format }, credential },
  { id, lines },
) => {
  if (credential === null) throw new SinkError('protocol', 'the sink has no signing secret');
  const body = lines.map(({ text }) => `${text}\n`).join('');
  const headers = sign({
    scheme: 'standard',
    settings: null,
    secret: credential,
    id,
    timestamp: Math.floor(Date.now() / 1_000),
    body: Buffer.from(body),
  });
  await post(network, url, { headers: { ...headers, 'content-type': formats[format].contentType }, body });
  return delivered;
};
