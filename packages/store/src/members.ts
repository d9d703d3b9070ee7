// The members of the replica set, as one of them sees them: for whoever operates it. Says nothing of what is stored.
import { MongoClient, ReadPreference } from 'mongodb';

export type Member = {
  /** host:port */
  name: string;
  /** `PRIMARY`, `SECONDARY`, `ARBITER`; anything else is a member that does not do its work. */
  state: string;
  /** Behind the newest write that is known; null of one that is not reached or holds no data. */
  behindSeconds: number | null;
};

type Status = { members: { name: string; stateStr: string; health: number; optimeDate?: Date }[] };

const answersWithinMs = 5_000;

/**
 * Whichever member answers first is asked, so it works without a primary as well. Throws where none answers within
 * five seconds, or the user of `uri` lacks the role `clusterMonitor`.
 */
export async function membersOf(uri: string): Promise<Member[]> {
  const client = new MongoClient(uri, {
    serverSelectionTimeoutMS: answersWithinMs,
    readPreference: ReadPreference.NEAREST,
  });
  try {
    const { members } = (await client
      .db('admin')
      .command({ replSetGetStatus: 1 }, { readPreference: ReadPreference.NEAREST })) as unknown as Status;
    const reached = members.flatMap(({ health, optimeDate }) => (health === 1 && optimeDate ? [optimeDate] : []));
    const newest = Math.max(...reached.map(date => date.getTime()));
    return members.map(({ name, stateStr: state, health, optimeDate }) => ({
      name,
      state,
      behindSeconds: health === 1 && optimeDate ? Math.round((newest - optimeDate.getTime()) / 1_000) : null,
    }));
  } finally {
    await client.close();
  }
}
