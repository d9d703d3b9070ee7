// What a person has granted an application in a session, as one record: the grant, the code that it began with, and the
// refresh tokens that followed. A grant's name begins with that of its session. The text of no token is kept: a code is
// known by its hash, and a refresh token says which grant it belongs to and which generation it is, under a MAC. So
// those who refresh at the same moment with the same token get the same successor (lesson L4), also where others have
// gone on from that by then (lesson L31), and whoever comes later with a token that has been followed is found out.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { metrics } from '@opentelemetry/api';
import { idFrom, type TenantId } from '@reeve/contracts';
import { type Clock, type PlatformRecords, platformRecords, type Versioned } from '@reeve/store';
import { type AdapterPayload, errors } from 'oidc-provider';
import type { GrantId } from '../application-grants/application-grant.ts';
import { refIn, refText, type SessionRef, separator } from '../sessions/live-sessions.ts';
import { requestScope } from './request-scope.ts';

/** Payloads are JSON: they have keys, such as URLs, that are no names of fields. */
export type GrantRow = {
  grant: string;
  /** Makes the refresh tokens of this grant, together with a key that is not in the store. */
  secret: string;
  codeHash?: string;
  code?: { payload: string; isUsed: boolean };
  refresh?: {
    payload: string;
    generation: number;
    /** When the generations before were followed, the last one first: those that may still come again. */
    followedAt: number[];
  };
  /** Of a grant that an exchange has made: what was exchanged. */
  origin?: GrantOrigin;
  /** Of an application that nobody registered: what the person has allowed it. */
  allowedBy?: GrantId;
  expiresAt: number;
};

/** The application whose token was exchanged, since when its tokens counted, and the grant, where the token said it. */
export type GrantOrigin = { clientId: string; tokensFrom: string | null; grantId: string | null };

type Known = Versioned<GrantRow> | null;

type Version1 = Omit<GrantRow, 'refresh'> & { refresh?: { payload: string; generation: number; rotatedAt: number } };

export const grants = platformRecords<GrantRow>({
  name: 'oidc_grants',
  version: 2,
  // Version 1 knew only of the last one.
  upgrade(stored) {
    const { refresh, ...rest } = stored as Version1;
    if (!refresh) return rest;
    const { rotatedAt, ...others } = refresh;
    return { ...rest, refresh: { ...others, followedAt: rotatedAt === 0 ? [] : [rotatedAt] } };
  },
  reason: 'a code and a refresh token are looked up before anything of a tenant is known',
  keys: ['codeHash'],
});

export type GrantStore = ReturnType<typeof createGrantStore>;

type Parts = {
  records: PlatformRecords<GrantRow>;
  clock: Clock;
  /** Keys of the MAC, the newest first. */
  keys: readonly string[];
  /** How long a refresh token that has been followed may come again. */
  graceMs: number;
  /** Those who verify tokens by themselves learn that a grant is void, by what its tokens call it. */
  tellOfEnd: (tenantId: TenantId, name: GrantId) => Promise<void>;
};

/** What its JWTs call it: nothing can be asked for by that. */
export const nameInTokens = (grantId: string): GrantId => idFrom('grant', grantId);

/** Null where it may not be made: then nothing is written, and the request is refused. */
type Change = (row: GrantRow) => GrantRow | null;

/** What a request changes of a grant: from what it had read, or from a new one. */
type Edits = { from: Known; first: GrantRow; changes: Change[] };

/** Processes that share one token and refresh without a pause make a few hundred in a second. */
const mostThatComeAgain = 2_000;

type RefreshName = { grantId: string; generation: number };

const verdicts = metrics.getMeter('@reeve/auth').createCounter('reeve.refresh_tokens', {
  description: 'Refresh tokens that came: followed for the first time, once more in the grace, or too late',
});

const hashOf = (text: string) => createHash('sha256').update(text).digest('hex');
const parsed = (payload: string) => JSON.parse(payload) as AdapterPayload;

export function createGrantStore({ records, clock, keys, graceMs, tellOfEnd }: Parts) {
  const [newestKey] = keys;
  if (newestKey === undefined) throw new TypeError('without a key there is no MAC');
  const now = () => clock.now().getTime();
  const keyOf = (grantId: string) => `grant ${grantId}`;
  const successorOf = (grantId: string) => `generation of ${grantId}`;
  const read = (grantId: string): Promise<Known> => requestScope().read(keyOf(grantId), () => records.get(grantId));
  const saved = (row: GrantRow) => ({ row, expiresAt: new Date(row.expiresAt) });

  /**
   * Changes the record as this request knows it, and in the store when the request ends, upon whatever is there by
   * then.
   */
  async function edit<R extends GrantRow | null>(grantId: string, change: (row: GrantRow) => R): Promise<R> {
    const scope = requestScope();
    const before = await read(grantId);
    const edits = await scope.read<Edits>(`edits of ${keyOf(grantId)}`, async () => ({
      from: before,
      first: before?.row ?? newGrant(),
      changes: [],
    }));
    const row = change(before?.row ?? edits.first);
    if (!row) return row;
    edits.changes.push(change);
    scope.remember(keyOf(grantId), { row, version: before?.version ?? 0 });
    scope.writeLater(keyOf(grantId), () => write(grantId, edits));
    return row;
  }

  /** Throws InvalidGrant where somebody else was first, or it is void by now: nothing brings it back. */
  async function write(grantId: string, { from, first, changes }: Edits): Promise<void> {
    let isRefused = false;
    const decideAll = (found: GrantRow | null) => {
      const start = found ?? (from ? null : first);
      const next = changes.reduce<GrantRow | null>((last, change) => last && change(last), start);
      isRefused = next === null;
      return next && saved(next);
    };
    await records.change(grantId, decideAll, from);
    if (isRefused) throw new errors.InvalidGrant('it has been used by somebody else, or has ended');
  }

  const macOf = ({ grantId, generation }: RefreshName, secret: string, key: string) =>
    createHmac('sha256', key).update(`refresh-token\n${grantId}\n${generation}\n${secret}`).digest('base64url');

  const isMacOf = (given: string, name: RefreshName, secret: string) =>
    keys.some(key => {
      const [one, other] = [Buffer.from(macOf(name, secret, key)), Buffer.from(given)];
      return one.length === other.length && timingSafeEqual(one, other);
    });

  const refreshTokenOf = (name: RefreshName, { secret }: GrantRow): string =>
    [name.grantId, name.generation, macOf(name, secret, newestKey)].join(separator);

  /** The grant that a refresh token belongs to, and its generation; null for a text that we have not made. */
  async function openRefreshToken(token: string): Promise<(RefreshName & { row: GrantRow }) | null> {
    const [, grantId = '', digits = '', mac = ''] =
      /^([\w-]+~[\w-]+~[\w-]+)~(0|[1-9]\d{0,8})~([\w-]{43})$/.exec(token) ?? [];
    const row = grantId === '' ? undefined : (await read(grantId))?.row;
    const name = { grantId, generation: Number(digits) };
    return row && isMacOf(mac, name, row.secret) ? { ...name, row } : null;
  }

  /** Followed a moment ago, by one successor. */
  const isInGrace = (generation: number, { refresh }: GrantRow) => {
    const followedAt = refresh?.followedAt[refresh.generation - 1 - generation];
    return followedAt !== undefined && now() - followedAt <= graceMs;
  };

  const follow = ({ generation, followedAt, payload }: NonNullable<GrantRow['refresh']>) => {
    const mayComeAgain = followedAt.filter(at => now() - at <= graceMs).slice(0, mostThatComeAgain - 1);
    return { payload, generation: generation + 1, followedAt: [now(), ...mayComeAgain] };
  };

  return {
    /** The name of a grant that is about to be made in a session. */
    nameGrant(session: SessionRef): string {
      const grantId = [refText(session), randomBytes(16).toString('base64url')].join(separator);
      requestScope().remember(keyOf(grantId), null);
      return grantId;
    },

    async findGrant(grantId: string): Promise<AdapterPayload | undefined> {
      const found = await read(grantId);
      const before = found?.row.origin?.grantId ?? null;
      // What was exchanged ends with what it was exchanged for.
      if (before !== null && !(await this.findGrant(before))) return undefined;
      return found ? parsed(found.row.grant) : undefined;
    },

    async saveOrigin(grantId: string, origin: GrantOrigin): Promise<void> {
      await edit(grantId, row => ({ ...row, origin }));
    },

    async saveAllowedBy(grantId: string, allowedBy: GrantId): Promise<void> {
      await edit(grantId, row => ({ ...row, allowedBy }));
    },

    /** Null for a grant that rests on nothing that a person was asked for. */
    findAllowedBy: async (grantId: string): Promise<GrantId | null> => (await read(grantId))?.row.allowedBy ?? null,

    /** Null for a grant that no exchange has made. */
    findOrigin: async (grantId: string): Promise<GrantOrigin | null> => (await read(grantId))?.row.origin ?? null,

    async saveGrant(grantId: string, payload: AdapterPayload): Promise<void> {
      await edit(grantId, row => ({ ...row, grant: JSON.stringify(payload), expiresAt: lastsUntil(row, payload) }));
    },

    /** Everything of it is void, and first of all for those who look at nothing but a JWT. */
    async removeGrant(grantId: string): Promise<void> {
      const found = await read(grantId);
      // The provider says so more than once.
      if (!found) return;
      const session = refIn(grantId);
      requestScope().remember(keyOf(grantId), null);
      requestScope().writeLater(keyOf(grantId), async () => {
        // What a person has allowed has tokens of other grants too, which do not end with this one.
        if (session && !found.row.allowedBy) await tellOfEnd(session.tenantId, nameInTokens(grantId));
        await records.remove(grantId);
      });
    },

    async saveCode(code: string, payload: AdapterPayload): Promise<void> {
      const codeHash = hashOf(code);
      const made = { payload: JSON.stringify(payload), isUsed: false };
      await edit(grantOf(payload), row => ({ ...row, codeHash, code: made }));
    },

    async findCode(code: string): Promise<AdapterPayload | undefined> {
      const [found] = await requestScope().read(`code ${code}`, () => records.findBy('codeHash', hashOf(code)));
      if (!found?.row.code) return undefined;
      requestScope().remember(keyOf(found.id), { row: found.row, version: found.version });
      const payload = parsed(found.row.code.payload);
      return found.row.code.isUsed ? { ...payload, consumed: Math.floor(now() / 1_000) } : payload;
    },

    /** False for everybody but the first. Of those who come at once all but one are refused when the request ends. */
    async useCode(code: string): Promise<boolean> {
      const found = await this.findCode(code);
      if (!found) return false;
      const use: Change = row =>
        row.code && !row.code.isUsed ? { ...row, code: { ...row.code, isUsed: true } } : null;
      return (await edit(grantOf(found), use)) !== null;
    },

    /** The provider's own name for it is known to nobody else: outside it is called by what it belongs to. */
    async saveRefreshToken(id: string, payload: AdapterPayload): Promise<void> {
      const grantId = grantOf(payload);
      const row = await edit(grantId, before => ({
        ...before,
        refresh: {
          generation: before.refresh?.generation ?? 0,
          followedAt: before.refresh?.followedAt ?? [],
          payload: JSON.stringify(payload),
        },
        expiresAt: lastsUntil(before, payload),
      }));
      const followed = await requestScope().read<number | undefined>(successorOf(grantId), async () => undefined);
      const generation = followed ?? row.refresh?.generation ?? 0;
      requestScope().rename(id, refreshTokenOf({ grantId, generation }, row));
    },

    async findRefreshToken(token: string): Promise<AdapterPayload | undefined> {
      const opened = await openRefreshToken(token);
      if (!opened?.row.refresh) return undefined;
      const { row, generation } = opened;
      const { refresh } = row as GrantRow & { refresh: NonNullable<GrantRow['refresh']> };
      const payload = { ...parsed(refresh.payload), jti: token };
      const isCurrent = generation === refresh.generation || isInGrace(generation, row);
      if (!isCurrent) verdicts.add(1, { verdict: 'reused' });
      return isCurrent ? payload : { ...payload, consumed: Math.floor((refresh.followedAt[0] ?? now()) / 1_000) };
    },

    /**
     * Makes it one that has been followed. True also for those who come at the same moment: what follows is the same.
     */
    async followRefreshToken(token: string): Promise<boolean> {
      const opened = await openRefreshToken(token);
      if (!opened) return false;
      const { grantId, generation, row: before } = opened;
      const goOn: Change = row => {
        if (row.refresh?.generation === generation) return { ...row, refresh: follow(row.refresh) };
        return isInGrace(generation, row) ? row : null;
      };
      if (!(await edit(grantId, goOn))) return false;
      verdicts.add(1, { verdict: before.refresh?.generation === generation ? 'followed' : 'in_grace' });
      requestScope().remember(successorOf(grantId), generation + 1);
      return true;
    },
  };
}

/** Throws for what belongs to none: the provider makes a grant before anything that belongs to it. */
function grantOf({ grantId }: AdapterPayload): string {
  if (grantId === undefined) throw new TypeError('a code and a refresh token belong to a grant');
  return grantId;
}

function lastsUntil({ expiresAt }: GrantRow, { exp = 0 }: AdapterPayload): number {
  return Math.max(expiresAt, exp * 1_000);
}

function newGrant(): GrantRow {
  return { grant: '{}', secret: randomBytes(32).toString('base64url'), expiresAt: 0 };
}
