// Splunk's HTTP Event Collector. With acknowledgement, records count as delivered when the indexer has them, not when
// the collector took them: https://docs.splunk.com/Documentation/Splunk/latest/Data/AboutHECIDXAck
import { setTimeout as sleep } from 'node:timers/promises';
import { v5 } from 'uuid';
import { z } from 'zod';
import { delivered, post, SinkError } from '../delivery.ts';
import { url } from '../settings.ts';
import { defineSinkKind } from '../sink-kind.ts';

/** A channel is a GUID of the client's choice; ours follows from the collector. */
const channels = '9e6a3a0e-2c4b-4d0c-8f55-0b7f0f6a3a11';
const askEveryMs = 500;
const askForMs = 30_000;

const answer = z.object({ code: z.number(), ackId: z.number().optional() });
const acknowledged = z.object({ acks: z.record(z.string(), z.boolean()) });

export const splunkHec = defineSinkKind({
  target: z.strictObject({
    kind: z.literal('splunk_hec'),
    url: url.describe('Of the collector, as https://splunk.example.org:8088'),
    acknowledge: z.boolean().default(true).describe('Wait until the indexer has it; the token has to allow that'),
  }),
  credentialIs: 'the token',
  credential: () => ({ is: 'given' }),
  formatOf: () => 'hec',
  takes: 'lines',
  assertReachable: (network, to) => network.assertUrl(to.url),

  async deliver({ network }, { target, credential }, { lines }) {
    const channel = v5(target.url, channels);
    const headers = {
      authorization: `Splunk ${credential ?? ''}`,
      'x-splunk-request-channel': channel,
      'content-type': 'application/json',
    };
    const body = lines.map(({ text }) => text).join('\n');
    const response = await post(network, new URL('/services/collector/event', target.url).href, { headers, body });
    const taken = answer.safeParse(await response.json().catch(() => null));
    if (!taken.success || taken.data.code !== 0)
      throw new SinkError('protocol', 'it did not answer as a collector does');
    if (!target.acknowledge) return delivered;
    const { ackId } = taken.data;
    if (ackId === undefined)
      throw new SinkError(
        'protocol',
        'it gave no ackId: turn indexer acknowledgement on for the token, or `acknowledge` off',
      );
    const ask = new URL('/services/collector/ack', target.url);
    ask.searchParams.set('channel', channel);
    for (const giveUpAt = Date.now() + askForMs; Date.now() < giveUpAt; await sleep(askEveryMs)) {
      const asked = await post(network, ask.href, { headers, body: JSON.stringify({ acks: [ackId] }) });
      const found = acknowledged.safeParse(await asked.json().catch(() => null));
      if (!found.success) throw new SinkError('protocol', 'it did not answer as a collector does');
      if (found.data.acks[String(ackId)] === true) return delivered;
    }
    throw new SinkError('busy', 'the indexer did not acknowledge in time');
  },
});
