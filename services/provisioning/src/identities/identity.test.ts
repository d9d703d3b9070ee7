import { expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { identities, identityId } from './identity.ts';

const known = { connectionId: newId('connection'), issuer: 'https://idp.example', subject: 'ada' };

test('an identity is known by its connection, issuer and subject, and each of them tells two apart', () => {
  expect(identityId({ ...known })).toBe(identityId(known));
  for (const other of [
    { connectionId: newId('connection') },
    { issuer: 'https://idp.example/' },
    { subject: 'Ada' },
    { subject: 'ada ' },
    { subject: '' },
  ])
    expect(identityId({ ...known, ...other })).not.toBe(identityId(known));
});

test('no issuer and subject can be put together so that they are those of another', () => {
  const shifted = { ...known, issuer: 'https://idp.example","ada', subject: '' };
  const joined = { ...known, issuer: 'https://idp.exampleada', subject: '' };
  const ids = [known, shifted, joined].map(one => identityId(one));
  expect(new Set(ids).size).toBe(3);
});

test('a user is linked once by each connection', () => {
  const [userId, other] = [newId('user'), newId('user')];
  const keyOf = (identity: object) => identities.unique?.['onePerConnection']?.({ ...known, userId, ...identity }, '');
  expect(keyOf({ subject: 'eve' })).toBe(keyOf({}));
  expect(keyOf({ userId: other })).not.toBe(keyOf({}));
  expect(keyOf({ connectionId: newId('connection') })).not.toBe(keyOf({}));
});
