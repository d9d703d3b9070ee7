import { describe, expect, test } from '@jest/globals';
import { type Id, mattersAlways, newId, type Revocation } from '@reeve/contracts';
import { createStanding, type OwnKnowledge, type PersonStanding } from './standing.ts';
import type { Caller } from './token-verifier.ts';

const start = Date.parse('2026-11-25T12:00:00Z');
const tenantId = newId('tenant');

function setUp({ own = {} }: { own?: OwnKnowledge } = {}) {
  let now = start;
  let upToDateAt = start;
  const standing = createStanding({ now: () => now, longestSilenceMs: 60_000, own });
  standing.readUntil(() => upToDateAt);
  return {
    standing,
    pass: (ms: number) => {
      now += ms;
    },
    read: () => {
      upToDateAt = now;
    },
    at: () => new Date(now),
  };
}

const person = (change: Partial<Caller> = {}): Caller => ({
  type: 'user',
  id: newId('user'),
  tenantId,
  scopes: ['tenant'],
  roles: ['tenant_admin'],
  platform: false,
  clientId: newId('client'),
  sessionId: newId('session'),
  acr: null,
  authenticatedAt: null,
  clientTokensFrom: null,
  surface: null,
  ...change,
});

const inFiveMinutes = new Date(start + 300_000).toISOString();
const changed = (caller: Caller, to: PersonStanding): Revocation => ({
  kind: 'user',
  id: caller.id as `usr_${string}`,
  tenantId,
  changedAt: new Date(start).toISOString(),
  until: inFiveMinutes,
  ...to,
  roles: [...to.roles],
});
const sessionOver = ({ sessionId, id }: Caller): Revocation => ({
  kind: 'session',
  id: sessionId as `ses_${string}`,
  userId: id as `usr_${string}`,
  until: inFiveMinutes,
});
const clientRevoked = ({ clientId }: Caller, issuedBefore: string | null): Revocation => ({
  kind: 'client',
  id: clientId as `cli_${string}`,
  issuedBefore,
  until: inFiveMinutes,
});
const refused = { code: 'token_invalid' };

describe('a caller', () => {
  test('of whom nothing is known is as the token says', async () => {
    const caller = person();
    expect(await setUp().standing.now(caller)).toEqual(caller);
  });

  test('whose session is over is refused, and so is nobody else', async () => {
    const { standing } = setUp();
    const [over, other] = [person(), person()];
    standing.learn(sessionOver(over));
    await expect(standing.now(over)).rejects.toMatchObject(refused);
    await expect(standing.now(other)).resolves.toBeDefined();
  });

  test('whose grant is void is refused, and so is nobody else', async () => {
    const { standing } = setUp();
    const [over, other] = [person({ grantId: newId('grant') }), person({ grantId: newId('grant') })];
    standing.learn({ kind: 'grant', id: over.grantId as Id<'grant'>, until: inFiveMinutes });
    await expect(standing.now(over)).rejects.toMatchObject(refused);
    for (const one of [other, person()]) await expect(standing.now(one)).resolves.toBeDefined();
  });

  test.each(['deactivated', 'deleted'] as const)('who is %s is refused until that is over', async status => {
    const { standing } = setUp();
    const caller = person();
    standing.learn(changed(caller, { status, roles: [] }));
    await expect(standing.now(caller)).rejects.toMatchObject(refused);
    standing.learn(changed(caller, { status: 'active', roles: ['tenant_member'] }));
    expect((await standing.now(caller)).roles).toEqual(['tenant_member']);
  });

  test('has the roles that were changed, whatever the token says', async () => {
    const { standing } = setUp();
    const caller = person({ roles: ['tenant_admin'] });
    standing.learn(changed(caller, { status: 'active', roles: [] }));
    expect((await standing.now(caller)).roles).toEqual([]);
  });

  test('of a client that is gone is refused, whenever the token was made', async () => {
    const { standing } = setUp();
    const caller = person({ type: 'client', tenantId: null, sessionId: null });
    standing.learn(clientRevoked(caller, null));
    await expect(standing.now(caller)).rejects.toMatchObject(refused);
  });

  test('of a client that was changed is refused with a token from before, and not with one from after', async () => {
    const { standing } = setUp();
    const before = person();
    const momentAfter = (ms: number) => new Date(start + ms).toISOString();
    standing.learn(clientRevoked(before, momentAfter(10)));
    await expect(standing.now(before)).rejects.toMatchObject(refused);
    await expect(standing.now({ ...before, clientTokensFrom: momentAfter(9) })).rejects.toMatchObject(refused);
    await expect(standing.now({ ...before, clientTokensFrom: momentAfter(10) })).resolves.toBeDefined();
  });

  test('is refused no longer than it matters, when every token that it could concern has expired', async () => {
    const { standing, pass, read } = setUp();
    const caller = person();
    standing.learn(sessionOver(caller));
    pass(300_001);
    read();
    await expect(standing.now(caller)).resolves.toBeDefined();
  });
});

describe('a service that owns a fact', () => {
  test('asks itself about a person, and somebody who is not there is nobody', async () => {
    const people = new Map<string, PersonStanding>();
    const { standing } = setUp({ own: { person: async (_, id) => people.get(id) ?? null } });
    const caller = person();
    await expect(standing.now(caller)).rejects.toMatchObject(refused);
    people.set(caller.id, { status: 'active', roles: ['tenant_auditor'] });
    expect((await standing.now(caller)).roles).toEqual(['tenant_auditor']);
    people.set(caller.id, { status: 'deactivated', roles: [] });
    await expect(standing.now(caller)).rejects.toMatchObject(refused);
  });

  test('asks itself about a session', async () => {
    const live = new Set<string>();
    const { standing } = setUp({ own: { isSessionLive: async (_, id) => live.has(id) } });
    const caller = person();
    await expect(standing.now(caller)).rejects.toMatchObject(refused);
    live.add(caller.sessionId ?? '');
    await expect(standing.now(caller)).resolves.toBeDefined();
  });
});

describe('silence', () => {
  test('of the topic for too long lets nobody in, and its end lets them in again', async () => {
    const { standing, pass, read } = setUp();
    pass(60_000);
    await expect(standing.now(person())).resolves.toBeDefined();
    pass(1);
    await expect(standing.now(person())).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retryAfterSeconds: 2,
    });
    read();
    await expect(standing.now(person())).resolves.toBeDefined();
  });
});

test('what a tenant demands is the last that was said for that action, and is handed on to nobody', () => {
  const { standing } = setUp();
  const heard: Revocation[] = [];
  standing.follow(one => void heard.push(one));
  const demand = (demands: Extract<Revocation, { kind: 'step_up' }>['demands']) =>
    standing.learn({ kind: 'step_up', id: tenantId, demands, until: mattersAlways });
  const mfa = { action: 'users:write', acrValues: ['mfa'], maxAgeSeconds: null };
  demand([mfa]);
  expect(standing.demandOf(tenantId, 'users:write')).toEqual(mfa);
  expect(standing.demandOf(tenantId, 'users:read')).toBeUndefined();
  expect(standing.demandOf(newId('tenant'), 'users:write')).toBeUndefined();
  demand([]);
  expect(standing.demandOf(tenantId, 'users:write')).toBeUndefined();
  expect(heard).toEqual([]);
});
