// What was said in conversations, in order, and who wants to hear of it. Knows nothing of HTTP.
import { randomUUID } from 'node:crypto';

type Account = { id: string; name?: string; role?: string };
export type Activity = {
  type: string;
  id?: string;
  name?: string;
  text?: string;
  from?: Account;
  replyToId?: string;
  value?: unknown;
  attachments?: { contentType: string; content: Record<string, unknown> }[];
  [member: string]: unknown;
};
export type Set = { activities: Activity[]; watermark: string };

type Hears = (set: Set) => void;

/** Of one person and one bot. */
export type Conversation = ReturnType<typeof newConversation>;

export function newConversation(userId: string) {
  const activities: Activity[] = [];
  const hearers = new Map<symbol, Hears>();
  const id = randomUUID();

  return {
    id,
    userId,

    /** Gives the id that it has from then on. */
    add(activity: Activity): string {
      const named = { ...activity, id: `${id}|${String(activities.length).padStart(7, '0')}` };
      activities.push(named);
      const set = { activities: [named], watermark: String(activities.length) };
      for (const hears of hearers.values()) hears(set);
      return named.id;
    },

    /** Everything behind a watermark, which is how many were heard before. */
    since(watermark: string | undefined): Set {
      const from = Number.parseInt(watermark ?? '', 10) || 0;
      return { activities: activities.slice(from), watermark: String(activities.length) };
    },

    /** Gives what ends it. */
    hear(hears: Hears): () => void {
      const key = Symbol(id);
      hearers.set(key, hears);
      return () => void hearers.delete(key);
    },
  };
}
