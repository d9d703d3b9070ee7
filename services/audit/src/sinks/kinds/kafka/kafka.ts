// A topic of another Kafka cluster, by TLS alone. Delivered is what all in-sync replicas have; the key is the tenant,
// so that the order is kept in its partition.
import { extname } from 'node:path';
import { formats } from '@reeve/audit-log';
import { z } from 'zod';
import { formatName } from '../../../log/format-name.ts';
import { IsolationError } from '../../isolation/isolated-process.ts';
import { delivered, SinkError, sinkErrorCode } from '../delivery.ts';
import { ca } from '../settings.ts';
import { defineSinkKind } from '../sink-kind.ts';
import type { Publication } from './isolated-publish.ts';

const publish = new URL(`./isolated-publish${extname(import.meta.url)}`, import.meta.url).href;
const withinMs = 30_000;

const published = z.object({ code: sinkErrorCode, detail: z.string() }).nullable();

function addressOf(broker: string): { host: string; port: number } {
  const end = broker.lastIndexOf(':');
  return { host: broker.slice(0, end), port: Number(broker.slice(end + 1)) };
}

function notPublished(error: unknown): unknown {
  if (!(error instanceof IsolationError)) return error;
  if (error.problem === 'late') return new SinkError('unreachable', 'it does not answer', { cause: error });
  if (error.problem === 'busy') return new SinkError('busy', 'too many deliveries at a time', { cause: error });
  return new SinkError('protocol', 'it does not answer as a cluster does', { cause: error });
}

export const kafka = defineSinkKind({
  target: z.strictObject({
    kind: z.literal('kafka'),
    brokers: z
      .array(z.string().regex(/^[A-Za-z0-9.-]{1,253}:\d{1,5}$/, 'must be host:port'))
      .min(1)
      .max(20)
      .describe('Some of the brokers of the cluster; all of them are reached by TLS'),
    topic: z.string().regex(/^[a-zA-Z0-9._-]{1,249}$/, 'must be the name of a topic, which has to be there'),
    sasl: z
      .strictObject({
        mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
        username: z.string().min(1).max(200),
      })
      .nullable()
      .default(null),
    ca,
    format: formatName.default('ocsf').describe('Of a message'),
  }),
  credentialIs: 'the password of SASL',
  credential: ({ sasl }) => ({ is: sasl ? 'given' : 'none' }),
  formatOf: ({ format }) => format,
  takes: 'lines',
  assertReachable(network, { brokers }) {
    for (const broker of brokers) network.assertAddress(addressOf(broker));
  },

  async deliver({ network, processes }, { target, credential }, { tenantId, lines }) {
    const { sasl, format, brokers, topic } = target;
    if (sasl && credential === null) throw new SinkError('protocol', 'the sink has no password');
    const task: Publication = {
      brokers,
      topic,
      sasl: sasl && { ...sasl, password: credential ?? '' },
      ca: target.ca,
      inside: network.inside,
      messages: lines.map(({ id, text }) => ({
        key: tenantId,
        value: text,
        headers: { 'content-type': formats[format].contentType, 'reeve-id': id },
      })),
    };
    const answer = await processes
      .perform({ of: tenantId, module: publish, task, withinMs })
      .catch((error: unknown) => {
        throw notPublished(error);
      });
    const failure = published.parse(answer);
    if (failure) throw new SinkError(failure.code, failure.detail);
    return delivered;
  },
});
