// Sessions in which somebody acts for a person. Provisioning and the tenants are at the edge here and answer as a test
// says; sessions and what has changed about people are in a real store.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type Id, newEventId, newId, ProblemError, serviceCause, type TenantId } from '@reeve/contracts';
import { openStore, type Store } from '@reeve/store';
import { engines } from '@reeve/testing';
import { createCatchUp } from '../sessions/catch-up.ts';
import { createLiveSessions, type LiveSession } from '../sessions/live-sessions.ts';
import { noted, peopleChanges as peopleChangesOf } from '../sessions/people-changes.ts';
import { delegateKey, sessions as sessionsOf } from '../sessions/session.ts';
import { createDelegatedSessions } from './delegated-sessions.ts';

let store: Store;
let now: Date;
let person: { userId: Id<'user'>; email: string | null };
let asked: object[];
let answer: () => Promise<void>;
let elsewhere: boolean;

const policy = { idleSeconds: 3_600, absoluteSeconds: 28_800, deviceChange: 'ignore', providerLogout: true };

beforeAll(async () => {
  const contents = { collections: [sessionsOf, peopleChangesOf], platformRecords: [] };
  const database = `delegated_${Date.now().toString(36)}`;
  store = openStore({ uri: engines().mongodb, database, source: '/test', contents });
  await store.prepare();
});
afterAll(() => store.close());
beforeEach(() => {
  now = new Date();
  person = { userId: newId('user'), email: 'ada@acme.example' };
  asked = [];
  answer = async () => {};
  elsewhere = false;
});

function delegatedSessions() {
  const [sessions, peopleChanges] = [store.collection(sessionsOf), store.collection(peopleChangesOf)];
  const parts = {
    sessions,
    tenants: { findNow: async () => ({ status: 'active' }) },
    enforceDomain: {
      isElsewhere: async () => elsewhere,
      async assertHere() {
        if (elsewhere) throw new ProblemError('domain_enforced');
      },
    },
    policies: { find: async () => policy },
    stepUpPolicies: {},
    clock: { now: () => now },
    connections: {
      findActive: async (_: TenantId, id: string) =>
        id === connectionId ? { id, state: { issuer: 'https://idp.example', kind: 'oidc' } } : null,
    },
    identities: {
      async resolve(request: object) {
        asked.push(request);
        await answer();
        return { ...person, emailVerified: true, displayName: 'Ada', roles: [], groups: [], created: false };
      },
    },
    statusLists: { withPlace: (create: (place: { id: string; index: number }) => unknown) => create(newPlace()) },
    peopleChanges,
  } as unknown as Parameters<typeof createLiveSessions>[0] & Parameters<typeof createDelegatedSessions>[0];
  const live = createLiveSessions(parts);
  const catchUp = createCatchUp({ sessions, live, peopleChanges });
  const delegated = createDelegatedSessions({ ...parts, live, catchUp });
  return {
    live,
    ...delegated,
    /** The live session of that delegation. */
    async find({ tenantId, delegate }: Pick<Parameters<typeof delegated.open>[0], 'tenantId' | 'delegate'>) {
      const held = await sessions.in(tenantId).getByUnique('delegate', delegateKey(delegate));
      return held && live.find({ tenantId, sessionId: held.id as Id<'session'> });
    },
  };
}
const newPlace = () => ({ id: newEventId(), index: 1 });

const tenantId = newId('tenant');
const connectionId = newId('connection');
const clientId = newId('client');
const cause = serviceCause('auth', { correlationId: 'c' });
const about = (change: object = {}) => ({
  tenantId,
  connectionId,
  subject: `sub-of-${person.userId}`,
  delegate: { clientId, name: 'Notes assistant', by: 'id_jag' as const, key: `${connectionId}/${person.userId}` },
  surface: 'assistant',
  authenticatedAt: null,
  amr: ['pwd'],
  acr: null,
  cause,
  ...change,
});

function assertLive(opened: object | null): LiveSession {
  if (!opened || !('state' in opened)) throw new Error(`no session was opened: ${JSON.stringify(opened)}`);
  return opened as LiveSession;
}

describe('a delegated session', () => {
  test('is one, however many ask for it at once, and is found by its delegation', async () => {
    const { open, find } = delegatedSessions();
    const opened = await Promise.all(Array.from({ length: 10 }, () => open(about())));
    expect(new Set(opened.map(one => assertLive(one).id)).size).toBe(1);
    const { id, state } = assertLive(await find(about()));
    expect(id).toBe(assertLive(opened[0] ?? null).id);
    expect(state).toMatchObject({ userId: person.userId, applications: [clientId], amr: ['fed', 'pwd'] });
    expect(await find({ tenantId: newId('tenant'), delegate: about().delegate })).toBeNull();
    expect(await find({ tenantId, delegate: { ...about().delegate, clientId: newId('client') } })).toBeNull();
  });

  test('is of whom the connection and its subject name: no address is said, and nobody is made', async () => {
    await delegatedSessions().open(about());
    expect(asked).toMatchObject([{ connectionId, email: null, domainOwned: false, jit: { enabled: false } }]);
  });

  test('is of one person: another one of the same delegation is refused, and it goes on', async () => {
    const { open, find } = delegatedSessions();
    const first = assertLive(await open(about()));
    const other = { subject: 'another', connectionId };
    expect(await open(about(other))).toEqual({ refused: 'taken' });
    expect(assertLive(await find(about())).id).toBe(first.id);
  });

  test('is found by what the provider calls the person, also where the connection knows them by another name', async () => {
    const { open } = delegatedSessions();
    const { id } = assertLive(await open(about({ subject: 'employee_id:42', providerSubject: 'ada' })));
    const of = { connectionId, providerSubject: 'ada' };
    const { items } = await store.collection(sessionsOf).in(tenantId).list('byProvider', of, { limit: 10 });
    expect(items.map(one => one.id)).toEqual([id]);
    // And is still of whom the connection knows by it.
    expect(assertLive(await open(about({ subject: 'employee_id:42', providerSubject: 'ada' }))).id).toBe(id);
    expect(await open(about({ subject: 'employee_id:43', providerSubject: 'ada' }))).toEqual({ refused: 'taken' });
  });

  test('begins anew after it was ended, and where its time was over', async () => {
    const { open, live } = delegatedSessions();
    const first = assertLive(await open(about()));
    await live.end({ tenantId, sessionId: first.id }, 'terminated', cause);
    const second = assertLive(await open(about()));
    now = new Date(now.getTime() + 3_700_000);
    const third = assertLive(await open(about()));
    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    expect((await store.collection(sessionsOf).in(tenantId).get(second.id))?.state.status).toBe('expired');
  });

  test.each([
    ['identity_unknown', 'unknown_subject'],
    ['identity_conflict', 'unknown_subject'],
    ['user_deactivated', 'inactive'],
    ['tenant_suspended', 'inactive'],
  ] as const)('does not begin where provisioning answers %s', async (code, refused) => {
    answer = () => Promise.reject(new ProblemError(code));
    const { open, find } = delegatedSessions();
    expect(await open(about())).toEqual({ refused });
    expect(await find(about())).toBeNull();
  });

  test('does not begin while provisioning is away: that says nothing of the person', async () => {
    answer = () => Promise.reject(new ProblemError('dependency_unavailable'));
    await expect(delegatedSessions().open(about())).rejects.toThrow(ProblemError);
  });

  test('does not begin by a connection that is not active, nor where the domain is enforced elsewhere', async () => {
    const { open } = delegatedSessions();
    expect(await open(about({ connectionId: newId('connection') }))).toEqual({ refused: 'inactive' });
    elsewhere = true;
    expect(await open(about())).toEqual({ refused: 'inactive' });
    elsewhere = false;
    assertLive(await open(about()));
  });

  test('has ended at once for somebody who was deactivated while it was looked up', async () => {
    answer = async () => {
      const at = new Date().toISOString();
      const decide = (known: Parameters<typeof noted>[0]) => {
        const state = noted(known, { at, active: false });
        return state && { state, events: [] };
      };
      await store.collection(peopleChangesOf).in(tenantId).change(person.userId, decide, { cause });
    };
    const { open, find } = delegatedSessions();
    expect(await open(about())).toEqual({ refused: 'inactive' });
    expect(await find(about())).toBeNull();
  });
});
