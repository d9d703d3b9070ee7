// What is revoked is refused at once; and whoever does not know what is revoked lets nobody in.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { newId, type Revocation } from '@reeve/contracts';
import { createStanding } from '@reeve/service-kit';
import { eventually } from '@reeve/testing';
import fc from 'fast-check';
import { type Identity, identityOf } from '../identity.ts';
import { audience, startIssuer, type TestIssuer } from '../issuer.test-support.ts';
import { createVerifier, type Verifier } from '../verifier.ts';
import { revocationFeed } from './feed.ts';
import { createKnownRevocations } from './known.ts';

let issuer: TestIssuer;
let verifier: Verifier;
let failures: unknown[];

beforeEach(async () => {
  issuer = await startIssuer();
  failures = [];
  verifier = createVerifier({
    issuer: issuer.url,
    audience,
    revocations: { from: revocationFeed({ clientId: 'a', clientSecret: 'b' }), staleAfterMs: 1_000 },
    onFailure: error => failures.push(error),
  });
});
afterEach(async () => {
  await verifier.stop();
  await issuer.stop();
});

const until = () => new Date(Date.now() + 300_000).toISOString();
const code = async (token: string) =>
  verifier.verify(token).then(
    () => 'good',
    (error: { code: string }) => error.code,
  );
const becomes = (token: string, wanted: string) =>
  eventually(wanted, async () => (await code(token)) === wanted, 5_000);

describe('what is revoked', () => {
  test('before and after the start is refused: a session, a person, a client', async () => {
    const one = issuer.claims();
    const session = await issuer.token(one);
    const person = await issuer.token();
    const { sub, tid } = issuer.claims();
    const deactivated = await issuer.token({ sub, tid });
    const { client_id } = issuer.claims();
    const ofClient = await issuer.token({ client_id });
    const grant_id = newId('grant');
    const ofGrant = await issuer.token({ grant_id });
    issuer.revoke({ kind: 'session', id: one.sid, userId: one.sub, until: until() });
    await verifier.start();
    expect(await code(session)).toBe('token_revoked');
    expect(await code(person)).toBe('good');
    expect(await code(ofGrant)).toBe('good');
    const changedAt = new Date().toISOString();
    issuer.revoke({
      kind: 'user',
      id: sub,
      tenantId: tid,
      status: 'deactivated',
      roles: [],
      changedAt,
      until: until(),
    });
    issuer.revoke({ kind: 'client', id: client_id, issuedBefore: null, until: until() });
    issuer.revoke({ kind: 'grant', id: grant_id, until: until() });
    await becomes(ofGrant, 'token_revoked');
    await becomes(deactivated, 'token_revoked');
    await becomes(ofClient, 'token_revoked');
    expect(await code(person)).toBe('good');
  });

  test('changes the roles of who has some in the token, and of nobody else', async () => {
    const { sub, tid } = issuer.claims();
    await verifier.start();
    const user = { kind: 'user', id: sub, tenantId: tid, status: 'active', roles: ['tenant_member'] };
    issuer.revoke({ ...user, changedAt: until(), until: until() });
    await eventually('the roles', async () => {
      const { roles } = await verifier.verify(await issuer.token({ sub, tid, roles: ['tenant_admin'] }));
      return roles.join() === 'tenant_member';
    });
    expect((await verifier.verify(await issuer.token({ sub, tid }))).roles).toEqual([]);
  });

  test('changes the groups of who has some in the token, and of nobody by a word from before there were groups', async () => {
    const { sub, tid } = issuer.claims();
    await verifier.start();
    const user = { kind: 'user', id: sub, tenantId: tid, status: 'active', roles: [] };
    const verified = async (claims: object) => verifier.verify(await issuer.token({ sub, tid, ...claims }));
    const inGroups = { groups: ['grp_1', 'grp_2'] };
    expect((await verified(inGroups)).groups).toEqual(['grp_1', 'grp_2']);
    issuer.revoke({ ...user, changedAt: until(), until: until() });
    await eventually('it is known', async () => (await verified({ roles: ['tenant_admin'] })).roles.length === 0);
    expect((await verified(inGroups)).groups).toEqual(['grp_1', 'grp_2']);
    issuer.revoke({ ...user, groups: ['grp_2'], changedAt: until(), until: until() });
    await eventually('the groups', async () => (await verified(inGroups)).groups.join() === 'grp_2');
    expect((await verified({})).groups).toEqual([]);
  });

  test('and cannot be read is passed over, and told', async () => {
    await verifier.start();
    issuer.revoke({ kind: 'planet', id: 'earth' });
    await eventually('it is told', () => Promise.resolve(failures.length > 0));
    expect(await code(await issuer.token())).toBe('good');
  });

  test('is decided about as by the services of Reeve', async () => {
    const now = Date.parse('2026-11-27T00:00:00Z');
    const ids = {
      sub: newId('user'),
      tid: newId('tenant'),
      sid: newId('session'),
      client_id: newId('client'),
      grant_id: newId('grant'),
    };
    const moments = ['2026-11-26T23:50:00.000Z', '2026-11-27T00:00:00.001Z', '2026-11-27T00:05:00.000Z'];
    const moment = fc.constantFrom(...moments);
    const until_ = { until: moment };
    const entry: fc.Arbitrary<Revocation> = fc.oneof(
      fc.record({ kind: fc.constant('session'), id: fc.constant(ids.sid), userId: fc.constant(ids.sub), ...until_ }),
      fc.record({
        kind: fc.constant('user'),
        id: fc.constant(ids.sub),
        tenantId: fc.constant(ids.tid),
        status: fc.constantFrom('active', 'deactivated', 'deleted'),
        roles: fc.subarray(['tenant_admin', 'auditor']),
        changedAt: moment,
        ...until_,
      }),
      fc.record({
        kind: fc.constant('client'),
        id: fc.constant(ids.client_id),
        issuedBefore: fc.option(moment),
        ...until_,
      }),
      fc.record({ kind: fc.constant('grant'), id: fc.constant(ids.grant_id), ...until_ }),
    ) as fc.Arbitrary<Revocation>;
    const caller = fc.record({
      isMachine: fc.boolean(),
      hasSession: fc.boolean(),
      from: fc.option(moment),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 5 }), caller, async (entries, { isMachine, hasSession, from }) => {
        const known = createKnownRevocations({ now: () => now });
        const standing = createStanding({ now: () => now, longestSilenceMs: 1 });
        standing.readUntil(() => now);
        for (const one of entries) {
          known.learn(one);
          standing.learn(one);
        }
        const sub = isMachine ? ids.client_id : ids.sub;
        const claims = {
          ...ids,
          sub,
          jti: 'x',
          exp: 1,
          roles: ['tenant_admin'],
          client_tokens_from: from ?? undefined,
        };
        const identity: Identity = identityOf(
          { ...claims, sid: hasSession ? ids.sid : undefined },
          { allowWithoutTenant: false },
        );
        const theirs = await standing
          .now({
            type: isMachine ? 'client' : 'user',
            id: sub,
            tenantId: ids.tid,
            scopes: [],
            roles: ['tenant_admin'],
            platform: false,
            clientId: ids.client_id,
            sessionId: hasSession ? ids.sid : null,
            acr: null,
            authenticatedAt: null,
            clientTokensFrom: from,
            surface: null,
            grantId: ids.grant_id,
          })
          .then(
            ({ roles }) => roles,
            () => null,
          );
        expect(known.now(identity)?.roles ?? null).toEqual(theirs);
      }),
    );
  });
});

describe('whoever does not know what is revoked lets nobody in', () => {
  test('before the start, and after the end', async () => {
    const token = await issuer.token();
    expect(await code(token)).toBe('revocations_stale');
    await verifier.start();
    expect(await code(token)).toBe('good');
    await verifier.stop();
    expect(await code(token)).toBe('revocations_stale');
  });

  test('once the feed says nothing for longer than the bound, and again when it does', async () => {
    const token = await issuer.token();
    await verifier.start();
    issuer.state.tellsKnown = false;
    expect(await code(token)).toBe('good');
    await becomes(token, 'revocations_stale');
    issuer.state.tellsKnown = true;
    await becomes(token, 'good');
  });

  test('once the feed is cut off for longer than the bound, and again when it is back, having missed nothing', async () => {
    const claims = issuer.claims();
    const token = await issuer.token();
    await verifier.start();
    expect(await code(token)).toBe('good');
    issuer.state.isAway = true;
    issuer.cutFeed();
    await becomes(token, 'revocations_stale');
    issuer.state.revoked.push({ kind: 'session', id: claims.sid, userId: claims.sub, until: until() });
    issuer.state.isAway = false;
    await becomes(token, 'good');
    expect(await code(await issuer.token(claims))).toBe('token_revoked');
    expect(failures.length).toBeGreaterThan(0);
  });

  test('while the issuer itself knows too little', async () => {
    const token = await issuer.token();
    await verifier.start();
    issuer.state.knowsBehindMs = 60_000;
    await becomes(token, 'revocations_stale');
  });

  test('by the issuer’s clock, whatever ours is', async () => {
    for (const aheadMs of [-3_600_000, 3_600_000]) {
      issuer.state.clockAheadMs = aheadMs;
      issuer.state.tellsKnown = true;
      await verifier.start();
      // Its date has whole seconds.
      expect(verifier.behindMs()).toBeLessThan(1_500);
      issuer.state.tellsKnown = false;
      await becomes(await issuer.token(), 'revocations_stale');
      await verifier.stop();
    }
  });

  test('and says at the start what was in the way', async () => {
    issuer.state.isAway = true;
    const error = await verifier.start({ withinMs: 300 }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'revocations_stale', cause: expect.any(Error) });
  });
});
