// Which sessions stand in which list, and which of them are over. A session takes a place as it begins, at random, and
// the unique key of its own document says whether that was free, so that it takes no further write. Each day has lists
// of its own, which live as long as its sessions may: no place is given twice. What is over is learnt from
// `reeve.revocations.v1`, as every verifier learns it.
import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import type { Revocation } from '@reeve/contracts';
import type { Standing } from '@reeve/service-kit';
import { type Clock, DuplicateKeyError, type PlatformRecords, platformRecords } from '@reeve/store';
import { keptBriefly } from '../kept-briefly.ts';
import type { Session } from '../sessions/session.ts';
import { longestSessionSeconds } from '../surface-policies/surface-policy.ts';
import { decoysOf, randomPlace } from './status-list.ts';

type Row = { seed: string; from: string; until: string };

export const statusLists = platformRecords<Row>({
  name: 'status_lists',
  reason: 'sessions of all tenants share a list, so that nobody is told by its name whose they are',
});

type Place = NonNullable<Session['statusList']>;
type List = { id: string; seed: Buffer; from: number; until: number };

type Parts = {
  records: PlatformRecords<Row>;
  standing: Pick<Standing, 'follow'>;
  issuer: string;
  /** From which the names of lists follow, so that several instances use the same ones. */
  secret: string;
  clock: Clock;
};

export type StatusLists = ReturnType<typeof createStatusLists>;

const dayMs = 86_400_000;
/** A day's last session, its last token, and clocks that differ. */
const afterDayMs = longestSessionSeconds * 1_000 + 3_600_000;
/** Of a list that is half full every second attempt fails. */
const collisionsUntilNext = 4;
const attempts = 40;

export function createStatusLists({ records, standing, issuer, secret, clock }: Parts) {
  const key = Buffer.from(hkdfSync('sha256', secret, '', 'status-list', 32));
  /** By list and place, until when that matters: then the session's tokens have expired, and the place is free. */
  const over = new Map<string, Map<number, number>>();
  let filling = { day: 0, number: 0 };
  /** Of the list that is filling: a place that is nobody's is given to nobody. */
  let reserved: { of: string; decoys: ReadonlyMap<number, number> } | undefined;

  const stopFollowing = standing.follow((revocation: Revocation) => {
    if (revocation.kind !== 'session' || !revocation.statusList) return;
    const { id, index } = revocation.statusList;
    const places = over.get(id) ?? new Map<number, number>();
    over.set(id, places.set(index, Date.parse(revocation.until)));
  });

  /** As they are now. */
  function placesOver(id: string): ReadonlyMap<number, number> {
    const now = clock.now().getTime();
    const places = over.get(id) ?? new Map<number, number>();
    for (const [index, until] of places) if (until <= now) places.delete(index);
    return places;
  }

  const opened = (id: string, { seed, from, until }: Row): List => ({
    id,
    seed: Buffer.from(seed, 'base64url'),
    from: Date.parse(from),
    until: Date.parse(until),
  });

  /** Does not change, once it is there. */
  const known = new Map<string, List>();
  function keep(list: List): List {
    for (const [id, { until }] of known) if (until < clock.now().getTime()) known.delete(id);
    for (const id of over.keys()) if (placesOver(id).size === 0) over.delete(id);
    known.set(list.id, list);
    return list;
  }

  async function listOf({ day, number }: typeof filling): Promise<List> {
    const id = createHmac('sha256', key).update(`${day}/${number}`).digest('base64url').slice(0, 22);
    const there = known.get(id);
    if (there) return there;
    const [from, until] = [day * dayMs, (day + 1) * dayMs + afterDayMs].map(at => new Date(at).toISOString());
    const seed = randomBytes(32).toString('base64url');
    const row = { seed, from: from as string, until: until as string };
    const kept = await records.change(id, found => (found ? null : { row, expiresAt: new Date(row.until) }));
    return keep(opened(id, kept?.row ?? row));
  }

  const lookUp = keptBriefly(async (id: string) => (await records.get(id))?.row ?? null, { most: 1_000 });

  function today(): typeof filling {
    const day = Math.floor(clock.now().getTime() / dayMs);
    if (filling.day !== day) filling = { day, number: 0 };
    return filling;
  }

  return {
    /** Creates a session with a place that no other one has; another place when that was taken. */
    async withPlace<T>(create: (place: Place) => Promise<T>): Promise<T> {
      for (let attempt = 1; ; attempt += 1) {
        const at = today();
        const { id, seed } = await listOf(at);
        if (reserved?.of !== id) reserved = { of: id, decoys: decoysOf(seed) };
        const index = randomPlace(reserved.decoys);
        // That of a session which has expired is free, and may still be shown as over.
        if (over.get(id)?.has(index) && attempt < attempts) continue;
        try {
          return await create({ id, index });
        } catch (error) {
          const isTaken = error instanceof DuplicateKeyError && error.unique === 'statusList';
          if (!isTaken || attempt === attempts) throw error;
          if (attempt % collisionsUntilNext === 0 && at === filling) filling = { ...at, number: at.number + 1 };
        }
      }
    },

    /** What a token says of its session's place; nothing for a session that has none. */
    claimOf: (place: Place | undefined) =>
      place ? { status: { status_list: { idx: place.index, uri: `${issuer}/status-lists/${place.id}` } } } : {},

    uriOf: (id: string) => `${issuer}/status-lists/${id}`,

    /** Places that are over, or are decoys and seem so; null for a list that is not there. */
    async overIn(id: string): Promise<number[] | null> {
      const row = known.has(id) ? null : await lookUp.of(id);
      const list = known.get(id) ?? (row && keep(opened(id, row)));
      if (!list) return null;
      const { from, until, seed } = list;
      const passed = (clock.now().getTime() - from) / (until - from);
      const seeming = [...decoysOf(seed)].filter(([, share]) => share < passed).map(([place]) => place);
      return [...placesOver(id).keys(), ...seeming];
    },

    /** Another number when another session of that list is over. */
    revisionOf: (id: string): number => over.get(id)?.size ?? 0,

    stop: stopFollowing,
  };
}
