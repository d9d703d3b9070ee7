import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import type { KnownApplication } from '../applications/known-application.ts';
import type { ResourceServer } from '../resource-servers/resource-server.ts';
import { type ApplicationGrant, type AskedFor, consent, covers, keyOf, withdraw } from './application-grant.ts';
import { askedFor, resourceOf } from './asked-for.ts';

const at = new Date('2026-11-27T08:00:00.000Z');
const id = newId('grant');
const asked: AskedFor = {
  userId: newId('user'),
  clientId: 'https://app.example/client.json',
  documentSha256: 'one',
  resource: 'https://api.example',
  scopes: ['openid', 'read'],
  redirectUri: 'https://app.example/callback',
};
const agreed = (change: Partial<AskedFor> = {}, before: ApplicationGrant | null = null) =>
  consent(id, before, { asked: { ...asked, ...change }, at });

describe('what a person has agreed to', () => {
  const { state, events } = agreed();

  test('is what they were shown, and is told', () => {
    expect(covers(state, asked)).toBe(true);
    expect(covers(state, { ...asked, scopes: ['read'] })).toBe(true);
    expect(events).toMatchObject([{ type: 'grant.consented', target: { id }, details: { scopes: asked.scopes } }]);
  });

  test.each([
    ['more', { scopes: ['openid', 'read', 'write'] }],
    ['another address', { redirectUri: 'https://app.example/other' }],
    ['another document', { documentSha256: 'two' }],
  ])('is not %s', (_, change) => {
    expect(covers(state, { ...asked, ...change })).toBe(false);
    expect(covers(agreed(change, state).state, { ...asked, ...change })).toBe(true);
  });

  test('is added to, unless the application is another one by now', () => {
    const more = agreed({ scopes: ['write'], redirectUri: 'https://app.example/other' }, state).state;
    expect(more.scopes).toEqual(['openid', 'read', 'write']);
    expect(more.redirectUris).toEqual(['https://app.example/callback', 'https://app.example/other']);
    const changed = agreed({ scopes: ['read'], documentSha256: 'two' }, more).state;
    expect([changed.scopes, changed.redirectUris]).toEqual([['read'], ['https://app.example/callback']]);
  });

  test('is of one person, application and API', () => {
    const others = [{ userId: newId('user') }, { clientId: 'https://b.example/c' }, { resource: null }];
    expect(new Set([asked, ...others.map(change => ({ ...asked, ...change }))].map(keyOf)).size).toBe(4);
  });

  test('is withdrawn once, and those who hold tokens are told', () => {
    const withdrawn = withdraw(id, state, { because: 'ended_by_owner', at });
    expect(withdrawn?.events.map(({ type }) => type)).toEqual(['grant.withdrawn', 'grant.revoked']);
    expect(withdraw(id, withdrawn?.state ?? state, { because: 'requested', at })).toBeNull();
  });
});

describe('what an application asks for', () => {
  const document = { host: 'app.example', name: null, sha256: 'one' };
  const application = { id: asked.clientId, document } as KnownApplication & { document: typeof document };
  const server = { scopes: [{ name: 'read' }, { name: 'write' }], applications: 'all' } as unknown as ResourceServer;
  const of = (scope: string, thirdPartyScopes: string[]) =>
    askedFor(
      { scope, resource: asked.resource, redirect_uri: asked.redirectUri },
      { application, server: { ...server, thirdPartyScopes }, userId: asked.userId },
    ).scopes;

  test('is what the API has opened, and what is said of the person', () => {
    expect(of('openid email read write roles platform:admin', ['read'])).toEqual(['openid', 'email', 'read']);
    expect(of('openid read', [])).toEqual(['openid']);
  });

  test('is at one API', () => {
    expect(resourceOf({})).toBeNull();
    expect(resourceOf({ resource: ['https://api.example'] })).toBe('https://api.example');
    expect(() => resourceOf({ resource: ['https://a.example', 'https://b.example'] })).toThrow('invalid_target');
  });
});
