import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import fc from 'fast-check';
import type { ExchangePolicy } from '../resource-servers/exchange-policy.ts';
import { actorsOf, decideExchange, type PresentedToken } from './exchange.ts';

const client = newId('client');
const other = newId('client');
const issuer = 'https://issuer.example';
const subject: PresentedToken = {
  sub: newId('user'),
  client_id: newId('client'),
  aud: 'https://from.example',
  scope: 'read write',
  iat: 1_000,
  exp: 1_300,
  tid: newId('tenant'),
  sid: newId('session'),
};
const machine: PresentedToken = { ...subject, sub: other, client_id: other, exp: 1_200, sid: undefined };
const policy: ExchangePolicy = {
  from: [subject.aud],
  by: [client],
  scopes: [
    { name: 'see', requires: ['read'] },
    { name: 'send', requires: ['write'] },
    { name: 'move', requires: ['read', 'write'] },
  ],
  maxLifetimeSeconds: 300,
  actor: 'allowed',
};
type Asked = Parameters<typeof decideExchange>[0];
const usual: Asked = {
  policy,
  subject,
  actor: null,
  clientId: client,
  issuer,
  onlyActor: null,
  scopes: null,
  isBound: false,
};
const decide = (asked: Partial<Asked> = {}) => decideExchange({ ...usual, ...asked });
const acting = { sub: client, client_id: client };

describe('an exchange', () => {
  test('gives what the subject token is good for, for the one who asks', () => {
    expect(decide()).toEqual({ scopes: ['see', 'send', 'move'], act: acting, mayAct: undefined, expiresBy: 1_300 });
    expect(decide({ scopes: ['send'] })).toMatchObject({ scopes: ['send'] });
  });

  test.each<[string, Partial<Asked>]>([
    ['that the subject token is not good for', { subject: { ...subject, scope: 'read' }, scopes: ['send'] }],
    ['of which the subject token has one part', { subject: { ...subject, scope: 'read' }, scopes: ['move'] }],
    ['that is in no policy', { scopes: ['see', 'purge'] }],
    ['of the API that it comes from', { scopes: ['read'] }],
    ['by a token without any', { subject: { ...subject, scope: '' } }],
    ['in none of its words', { scopes: [] }],
    ['that is part of a name', { subject: { ...subject, scope: 'readonly' }, scopes: ['see'] }],
  ])('gives no scope %s', (_, asked) => {
    expect(decide(asked)).toMatchObject({ refused: 'scope_refused' });
  });

  test('lets somebody else act where the policy has it so, until their token ends', () => {
    expect(decide({ actor: machine })).toMatchObject({ act: { sub: other, client_id: other }, expiresBy: 1_200 });
    const modes = (['refused', 'allowed', 'required'] as const).flatMap(actor =>
      [null, machine].map(one => 'refused' in decide({ policy: { ...policy, actor }, actor: one })),
    );
    expect(modes).toEqual([false, true, false, false, true, false]);
    for (const wrong of [
      { ...machine, sub: subject.sub },
      { ...machine, act: { sub: client } },
    ])
      expect(decide({ actor: wrong })).toMatchObject({ refused: 'actor_refused' });
  });

  test.each<[string, Record<string, unknown>, boolean]>([
    ['the one', { sub: client }, true],
    ['the one, with all that is known', { sub: client, client_id: client, iss: issuer }, true],
    ['another', { sub: other }, false],
    ['one of another issuer', { sub: client, iss: 'https://other.example' }, false],
    ['one by another application', { sub: client, client_id: other }, false],
    ['one of whom more is said than is known', { sub: client, email: 'a@b.example' }, false],
    ['nobody', {}, false],
    ['one whose name is none', { sub: [client] }, false],
  ])('may_act names %s', (_, may_act, isAllowed) => {
    const found = decide({ subject: { ...subject, may_act } });
    expect(found).toMatchObject(isAllowed ? { mayAct: may_act } : { refused: 'actor_refused' });
  });

  test('may_act is about who acts, not about who asks', () => {
    const bound = { ...subject, may_act: { sub: client } };
    expect(decide({ subject: bound, actor: machine })).toMatchObject({ refused: 'actor_refused' });
    const toOther = { ...subject, may_act: { sub: other } };
    expect(decide({ subject: toOther })).toMatchObject({ refused: 'actor_refused' });
    expect(decide({ subject: toOther, actor: machine })).toMatchObject({ mayAct: { sub: other } });
    expect(decide({ onlyActor: other })).toMatchObject({ refused: 'actor_refused' });
    expect(decide({ onlyActor: client })).toMatchObject({ act: acting });
  });

  test('of a token that is bound to a key gives one that is bound', () => {
    const bound = { ...subject, cnf: { jkt: 'x' } };
    expect(decide({ subject: bound })).toMatchObject({ refused: 'proof_missing' });
    expect(decide({ actor: { ...machine, cnf: { jkt: 'x' } } })).toMatchObject({ refused: 'proof_missing' });
    expect(decide({ subject: bound, isBound: true })).toMatchObject({ act: acting });
  });

  test('puts who acts before who acted, and four at most', () => {
    const chain = (length: number): PresentedToken['act'] =>
      length === 0 ? undefined : { sub: `a${length}`, act: chain(length - 1) };
    const found = decide({ subject: { ...subject, act: chain(3) } });
    expect('act' in found && actorsOf(found.act)).toEqual([client, 'a3', 'a2', 'a1']);
    expect(decide({ subject: { ...subject, act: chain(4) } })).toMatchObject({ refused: 'chain_too_long' });
  });

  test('is never wider, whatever is asked and whatever the policy says', () => {
    const word: fc.Arbitrary<string> = fc.constantFrom('a', 'b', 'c', 'd');
    const rules = fc.uniqueArray(fc.record({ name: word, requires: fc.array(word, { minLength: 1, maxLength: 3 }) }), {
      selector: ({ name }) => name,
      minLength: 1,
    });
    fc.assert(
      fc.property(rules, fc.array(word), fc.option(fc.array(word)), fc.nat(2_000), (allowed, held, scopes, exp) => {
        const found = decide({
          policy: { ...policy, scopes: allowed },
          subject: { ...subject, scope: held.join(' '), exp },
          actor: machine,
          scopes,
        });
        if ('refused' in found) return;
        expect(found.expiresBy).toBeLessThanOrEqual(Math.min(exp, machine.exp));
        for (const scope of found.scopes) {
          const rule = allowed.find(({ name }) => name === scope);
          expect(rule?.requires.every(one => held.includes(one))).toBe(true);
          expect(scopes === null || scopes.includes(scope)).toBe(true);
        }
      }),
    );
  });
});
