// Runs in an isolated process: an error that a cluster provokes in the Kafka client, or a heap that it fills, ends
// that process and nothing else.
import { ElsewhereError, publishElsewhere } from '@reeve/event-bus/elsewhere';
import { createGuardedNetwork, type Inside } from '@reeve/service-kit/outbound';
import type { Perform } from '../../isolation/isolated-process.ts';
import { notReached, type SinkErrorCode } from '../delivery.ts';

export type Publication = {
  brokers: string[];
  topic: string;
  sasl: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string } | null;
  ca: string | undefined;
  inside: Inside;
  messages: { key: string; value: string; headers: Record<string, string> }[];
};

/** What went wrong; null where all of it is there. */
export type Published = { code: SinkErrorCode; detail: string } | null;

export const perform: Perform<Publication> = async ({ ca, inside, messages, ...cluster }) => {
  const network = createGuardedNetwork(inside);
  let refused: unknown;
  const open = (to: { host: string; port: number }) => {
    try {
      const socket = network.openTls({ ...to, ca });
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
  // The client may still be at work for a cluster that failed.
  const failed = (answer: Published) => ({ answer, again: false });
  try {
    await publishElsewhere({ ...cluster, open }, messages);
    return { answer: null, again: true };
  } catch (error) {
    if (!(error instanceof ElsewhereError)) throw error;
    const { problem, message: detail } = error;
    if (problem !== 'unreachable') return failed({ code: problem, detail });
    const { code, message } = notReached(refused ?? error);
    return failed({ code, detail: message });
  }
};
