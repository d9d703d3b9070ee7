import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { contradictionInPolicies, exchangePolicies, mayExchange, policyFor } from './exchange-policy.ts';
import { resourceServers } from './resource-server.ts';

const [one, two] = [newId('client'), newId('client')];
const scopes = [{ name: 'send' }, { name: 'see' }];
const policy = (more: object = {}) => ({
  from: ['https://a.example'],
  by: [one],
  scopes: [{ name: 'send', requires: ['write'] }],
  ...more,
});
const parsed = (...policies: object[]) => exchangePolicies.parse(policies);
const wrongIn = (...policies: object[]) =>
  contradictionInPolicies({ exchangePolicies: parsed(...policies), scopes }, ['https://reeve.example'])?.field ?? null;

test('an API from before there were any has none', () => {
  expect(resourceServers.upgrade?.({ name: 'Messages' }, 1)).toMatchObject({
    name: 'Messages',
    exchangePolicies: [],
    mayAct: null,
  });
});

describe('policies of exchanges', () => {
  test('say who may exchange what; nothing else is', () => {
    const api = { exchangePolicies: parsed(policy(), policy({ by: [two], from: ['https://b.example'] })), scopes };
    expect(policyFor(api, { by: one, from: 'https://a.example' })).toMatchObject({
      maxLifetimeSeconds: 300,
      actor: 'refused',
    });
    for (const [by, from] of [
      [one, 'https://b.example'],
      [two, 'https://a.example'],
      [one, 'https://a.example/'],
      [newId('client'), 'https://a.example'],
    ] as const)
      expect(policyFor(api, { by, from })).toBeNull();
    expect([one, two, newId('client')].map(id => mayExchange(api, id))).toEqual([true, true, false]);
  });

  test.each<[string, object[], string | null]>([
    ['two that do not meet', [policy(), policy({ by: [two] })], null],
    [
      'a scope that the API has not',
      [policy({ scopes: [{ name: 'other', requires: ['x'] }] })],
      'exchangePolicies.0.scopes.0.name',
    ],
    [
      'a scope twice',
      [policy({ scopes: [1, 2].map(() => ({ name: 'send', requires: ['x'] })) })],
      'exchangePolicies.0.scopes',
    ],
    ['a token for Reeve itself', [policy({ from: ['https://reeve.example/x'] })], 'exchangePolicies.0.from.0'],
    ['two answers to one question', [policy(), policy({ by: [two, one] })], 'exchangePolicies.1'],
    ['one question twice', [policy({ by: [one, one] })], 'exchangePolicies.0'],
  ])('go together or not: %s', (_, policies, field) => {
    expect(wrongIn(...policies)).toBe(field);
  });

  test.each<[string, object]>([
    ['a scope for nothing', { scopes: [{ name: 'send', requires: [] }] }],
    ['no scope', { scopes: [] }],
    ['nobody', { by: [] }],
    ['from nowhere', { from: [] }],
    ['by what is no application', { by: ['everybody'] }],
    ['from what is no URL', { from: ['*'] }],
    ['two scopes in one', { scopes: [{ name: 'send', requires: ['a b'] }] }],
    ['for ever', { maxLifetimeSeconds: 86_400 }],
    ['something else', { whatever: 1 }],
  ])('are refused: %s', (_, more) => {
    expect(exchangePolicies.safeParse([policy(more)]).success).toBe(false);
    expect(exchangePolicies.safeParse([policy()]).success).toBe(true);
  });
});
