// Asks the topics themselves which messages they hold. For whoever does not know whether a message that it was about to
// publish arrived: after a crash, or a request that was never answered.
import type { Admin, Kafka } from 'kafkajs';
import { readToEnd } from './read-to-end.ts';

/**
 * The ids among those asked for that are on the topics. Reads from `since`, the time of the oldest event, to the end,
 * so it takes seconds.
 */
export async function findPublished(
  kafka: { kafka: Kafka; admin: Admin },
  { ids, topics, since }: { ids: ReadonlySet<string>; topics: ReadonlySet<string>; since: Date },
): Promise<Set<string>> {
  const found = new Set<string>();
  const each = ({ message }: { message: { headers?: Record<string, unknown> } }) => {
    const id = message.headers?.['ce_id']?.toString();
    if (id !== undefined && ids.has(id)) found.add(id);
  };
  await readToEnd(kafka, { topics, since, each });
  return found;
}
