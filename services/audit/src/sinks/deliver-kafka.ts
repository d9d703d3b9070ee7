// A topic of another Kafka cluster, by TLS alone. Delivered is what all in-sync replicas have; the key is the tenant, so that the order is kept in its partition.

import { formats } from '@reeve/audit-log';
import { ElsewhereError, publishElsewhere } from '@reeve/event-bus';
import { type Deliver, delivered, notReached, SinkError } from './delivery.ts';
import type { TargetOf } from './sink.ts';

export const deliverKafka: Deliver<TargetOf<'kafka'>> = async (
  { openTls },
  { target: { brokers, topic, sasl, ca, format }, credential },
  { tenantId, lines },
) => {
  if (sasl && credential === null) throw new SinkError('protocol', 'the sink has no password');
  let refused: unknown;
  const open = (to: { host: string; port: number }) => {
    try {
      const socket = openTls({ ...to, ca });
      socket.once('error', error => {
        refused ??= error;
      });
      return socket;
    } catch (error) {
      // The client that asked makes something else of it.
      refused = error;
      throw error;
    }
  };
  const messages = lines.map(({ id, text }) => ({
    key: tenantId,
    value: text,
    headers: { 'content-type': formats[format].contentType, 'reeve-id': id },
  }));
  try {
    await publishElsewhere({ brokers, topic, sasl: sasl && { ...sasl, password: credential ?? '' }, open }, messages);
    return delivered;
  } catch (error) {
    if (!(error instanceof ElsewhereError)) throw error;
    if (error.problem === 'unreachable') throw notReached(refused ?? error);
    throw new SinkError(error.problem, error.message, { cause: error });
  }
};
