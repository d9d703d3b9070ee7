// Any HTTPS receiver: lines of the format chosen, signed as Standard Webhooks sign
// (https://www.standardwebhooks.com). A 2xx means that it has them.
import { formats } from '@reeve/audit-log';
import { newSecret, sign } from '@reeve/webhook-signatures';
import { z } from 'zod';
import { formatName } from '../../../log/format-name.ts';
import { delivered, post, SinkError } from '../delivery.ts';
import { url } from '../settings.ts';
import { defineSinkKind } from '../sink-kind.ts';

function checkSecret(secret: string): string | null {
  const bytes = Buffer.from(secret.replace(/^whsec_/, ''), 'base64').length;
  const fits = secret.startsWith('whsec_') && bytes >= 24 && bytes <= 64;
  return fits ? null : 'whsec_ and 24 to 64 bytes in base64';
}

export const https = defineSinkKind({
  target: z.strictObject({
    kind: z.literal('https'),
    url,
    format: formatName.default('ocsf').describe('Of the lines in a request'),
  }),
  credentialIs: 'a secret of Standard Webhooks (whsec_…), made where it is left out',
  credential: () => ({ is: 'made', check: checkSecret, make: () => newSecret('standard', null) }),
  formatOf: ({ format }) => format,
  takes: 'lines',
  assertReachable: (network, to) => network.assertUrl(to.url),

  async deliver({ network }, { target, credential }, { id, lines }) {
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
    await post(network, target.url, {
      headers: { ...headers, 'content-type': formats[target.format].contentType },
      body,
    });
    return delivered;
  },
});
