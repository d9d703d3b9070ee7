import { describe, expect, test } from '@jest/globals';
import { identityOf } from './identity.ts';
import { nameIdFormat } from './names.ts';
import type { Asserted } from './read-assertion.ts';

const issuer = 'https://idp.test/metadata';

const asserted = (more: Partial<Asserted> = {}): Asserted => ({
  assertionId: '_a',
  nameId: 'ada',
  nameIdFormat: nameIdFormat.persistent,
  nameQualifier: null,
  spNameQualifier: null,
  attributes: {},
  authenticatedAt: new Date().toISOString(),
  authnContext: null,
  sessionIndex: null,
  sessionEndsAt: null,
  usableUntil: new Date(),
  ...more,
});

describe('who somebody is', () => {
  test('is said by the NameID, and by no attribute that is called so', () => {
    const attributes = { nameId: ['victim'], nameIdFormat: ['x'], email: ['ada@acme.example'] };
    expect(identityOf(asserted({ attributes }), issuer).claims).toEqual({
      nameId: 'ada',
      nameIdFormat: nameIdFormat.persistent,
      email: 'ada@acme.example',
    });
  });

  test('is somebody else by another qualifier, and the same by the one that is meant where none is said', () => {
    const subjects = [null, issuer, 'https://other.test'].map(
      nameQualifier => identityOf(asserted({ nameQualifier }), issuer).subject,
    );
    expect(subjects).toEqual(['ada', 'ada', 'https://other.test!ada']);
  });

  test('ends at the provider under the name that it was said by', () => {
    const { providerSession } = identityOf(asserted({ nameQualifier: 'https://other.test' }), issuer);
    expect(providerSession).toMatchObject({ subject: 'ada', details: { nameQualifier: 'https://other.test' } });
  });
});

describe('an address', () => {
  test.each([
    [['ada@acme.example'], 'ada@acme.example', null],
    [['', 'ada@acme.example'], 'ada@acme.example', null],
    [['boss@acme.example', 'ada@acme.example'], 'boss@acme.example', false],
    [[''], null, null],
  ])('of %j is %j, verified: %j', (email, expected, emailVerified) => {
    expect(identityOf(asserted({ attributes: { email } }), issuer)).toMatchObject({ email: expected, emailVerified });
  });
});
