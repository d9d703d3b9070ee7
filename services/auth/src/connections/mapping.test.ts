import { describe, expect, test } from '@jest/globals';
import { expressionSchema } from './expression.ts';
import { noProfile, type UpstreamIdentity } from './kinds/kind.ts';
import { identifierSchema, type Mapping, mapIdentity } from './mapping.ts';

const said = (more: Partial<UpstreamIdentity> = {}): UpstreamIdentity => ({
  issuer: 'https://idp.example',
  subject: 'the subject',
  email: 'ada@acme.example',
  emailVerified: true,
  displayName: 'Ada',
  profile: noProfile,
  amr: [],
  acr: null,
  authenticatedAt: null,
  sessionEndsAt: null,
  providerSession: null,
  claims: {},
  claimsDropped: [],
  ...more,
});
const nothing: Mapping = { attributes: {}, identifier: null };
const by = (attribute: Mapping['attributes']['email'], ...normalize: string[]): Mapping => ({
  attributes: {},
  identifier: identifierSchema.parse({ type: 'employee_id', attribute, normalize }),
});

const byAddress: Mapping = {
  attributes: {},
  identifier: identifierSchema.parse({ type: 'email', attribute: 'email' }),
};

describe('parts of a name', () => {
  const partsOf = (claims: Record<string, unknown>) =>
    mapIdentity({ attributes: { givenName: 'g', familyName: 'f', locale: 'l' }, identifier: null }, said({ claims }))
      .profile;

  test.each([['Ada'], ['Ada Maria'], ['Ōe'], ['👩‍🚀'], ['d’Arc'], ['<b>']])('%j is taken', text => {
    expect(partsOf({ g: text }).givenName).toBe(text);
  });

  test.each([['\u0007x'], [' '], [''], ['\u200b'], ['a\nb'], ['x'.repeat(201)], [{}], [[{}]], [true]])(
    '%j counts as not said',
    value => {
      expect(partsOf({ g: value, f: 'Lovelace', l: value })).toEqual({
        givenName: null,
        familyName: 'Lovelace',
        locale: null,
      });
    },
  );
});

describe('without a mapping', () => {
  test('what the kind has taken counts, and no claim goes further', () => {
    const { claims: _, claimsDropped: __, ...expected } = said();
    expect(mapIdentity(nothing, said({ claims: { secret: 'x' } }))).toEqual(expected);
  });

  test('somebody whom the provider does not name is nobody', () => {
    expect(() => mapIdentity(nothing, said({ subject: null }))).toThrow(
      expect.objectContaining({ step: 'subject_missing' }),
    );
  });
});

describe('an identifier', () => {
  test('that is an address is none where the provider says that it is not verified', () => {
    const claims = { email: 'ada@acme.example' };
    expect(() => mapIdentity(byAddress, said({ claims, emailVerified: false }))).toThrow(
      expect.objectContaining({ step: 'attribute_missing' }),
    );
    for (const emailVerified of [true, null])
      expect(mapIdentity(byAddress, said({ claims, emailVerified })).subject).toBe('email:ada@acme.example');
  });

  test.each([
    ['a claim', by('employee'), { employee: '0042' }, '0042'],
    ['a number', by('employee'), { employee: 42 }, '42'],
    ['the only one of a list', by('employee'), { employee: ['a'] }, 'a'],
    ['a claim with an odd name', by('http://x/a b'), { 'http://x/a b': 'odd' }, 'odd'],
    ['said by one of several', by({ expression: '"x" in values(claims.g) ? "in" : "out"' }), { g: ['y', 'x'] }, 'in'],
    ['said by the only one', by({ expression: '"x" in values(claims.g) ? "in" : "out"' }), { g: 'x' }, 'in'],
    ['an expression', by({ expression: 'claims.mail.split("@")[0]' }), { mail: 'ada@acme.example' }, 'ada'],
    ['what normalisers make of it', by('e', 'trim', 'lowercase', 'strip_domain'), { e: ' ACME\\Ada ' }, 'ada'],
    ['an address without its domain', by('e', 'strip_domain'), { e: 'ada@acme.example' }, 'ada'],
    ['one without leading zeros', by('e', 'strip_leading_zeros'), { e: '000' }, '0'],
    ['one in the usual letters', by('e', 'nfkc'), { e: 'ａ１' }, 'a1'],
  ] as const)('is %s', (_, mapping, claims, expected) => {
    expect(mapIdentity(mapping, said({ claims })).subject).toBe(`employee_id:${expected}`);
  });

  test.each([
    ['is missing', by('employee'), {}],
    ['is empty', by('employee'), { employee: '' }],
    ['is a fraction', by('employee'), { employee: 0.5 }],
    ['is less than nothing', by('employee'), { employee: -0 }],
    ['is one of several, of which one is empty', by('employee'), { employee: ['7', ''] }],
    ['is one of several, in an order that means nothing', by('employee'), { employee: ['a', 'b'] }],
    ['is an object', by('employee'), { employee: { a: 1 } }],
    ['is inherited', by('constructor'), {}],
    ['is white space once it is normalised', by('e', 'trim'), { e: '  ' }],
    ['is nothing but a domain', by('e', 'strip_domain'), { e: '@acme.example' }],
    ['comes of an expression that fails', by({ expression: 'claims.a.b.c' }), {}],
    ['is longer than anything', by('e'), { e: 'a'.repeat(501) }],
  ] as const)('that %s signs nobody in', (_, mapping, claims) => {
    expect(() => mapIdentity(mapping, said({ claims }))).toThrow(
      expect.objectContaining({ step: 'attribute_missing' }),
    );
  });
});

describe('an address', () => {
  test('of several is verified by nobody, whatever else is trusted', () => {
    const several = mapIdentity(
      { attributes: { email: 'mail' }, identifier: null },
      said({ claims: { mail: ['boss@acme.example', 'ada@acme.example'] } }),
    );
    expect(several).toMatchObject({ email: 'boss@acme.example', emailVerified: false });
  });

  const mapping: Mapping = { attributes: { email: 'upn' }, identifier: null };

  test('of another claim has been verified by nobody, unless it is the same', () => {
    const other = mapIdentity(mapping, said({ claims: { upn: 'eve@acme.example' } }));
    expect(other).toMatchObject({ email: 'eve@acme.example', emailVerified: null });
    const same = mapIdentity(mapping, said({ claims: { upn: 'ada@acme.example' } }));
    expect(same).toMatchObject({ email: 'ada@acme.example', emailVerified: true });
  });

  test('that is none, or is not said, counts as not said', () => {
    expect(mapIdentity(mapping, said({ claims: { upn: 'nothing' } })).email).toBeNull();
    expect(mapIdentity(mapping, said()).email).toBeNull();
  });
});

test('a name is made of its parts where it is not said as a whole', () => {
  const mapping: Mapping = { attributes: { givenName: 'first', familyName: 'last' }, identifier: null };
  expect(mapIdentity(mapping, said({ claims: { first: 'Ada', last: 'Lovelace' } })).displayName).toBe('Ada Lovelace');
  expect(mapIdentity(mapping, said({ claims: { last: 'Lovelace' } })).displayName).toBe('Lovelace');
  expect(mapIdentity(mapping, said()).displayName).toBe('Ada');
});

describe('an expression', () => {
  test.each([
    'claims.mail',
    'has(claims.upn) ? claims.upn : claims.mail',
    '"admin" in claims.groups ? claims.id : ""',
    'values(claims.groups).exists(g, g.startsWith("eu-")) ? "eu" : "us"',
  ])('%s is taken', text => {
    expect(expressionSchema.safeParse(text).error).toBeUndefined();
  });

  test.each([
    ['an unknown name', 'process.env'],
    ['a regular expression, which may take for ever', 'claims.a.matches("(a+)+$") ? "x" : "y"'],
    ['a loop within a loop', 'claims.g.exists(a, claims.g.exists(b, a == b)) ? "x" : "y"'],
    ['a text that is as long as the claims, at each turn', 'claims.g.exists(g, claims.a.contains(g)) ? "x" : "y"'],
    ['a list that is looked through at each turn', 'claims.g.exists(g, claims.o in claims.a) ? "x" : "y"'],
    ['lists that are compared at each turn', 'claims.g.exists(g, claims.o == claims.a) ? "x" : "y"'],
    ['a place that is looked up at each turn', 'claims.g.exists(g, claims.a[0] == "x") ? "x" : "y"'],
    ['a text that is made at each turn', 'claims.g.exists(g, g + claims.a == "x") ? "x" : "y"'],
    ['a loop that makes a list', 'claims.g.map(a, a)[0]'],
    ['a value that doubles itself', 'cel.bind(x, claims.a, x + x)'],
    ['what repeats a text as often as it is long', 'claims.a.split("").join(claims.a)'],
    ['more than anybody needs', Array.from({ length: 80 }, () => 'claims.a').join(' + ')],
    ['no end', 'claims.'],
  ])('with %s is refused', (_, text) => {
    expect(expressionSchema.safeParse(text).success).toBe(false);
  });

  test('ends soon, however much is claimed', () => {
    const groups = Array.from({ length: 1_000 }, (_, index) => `group-${index}`);
    const mapping = by({ expression: 'claims.groups.exists(g, g == "none" || g in ["no", "nil"]) ? "a" : "b"' });
    const began = performance.now();
    expect(mapIdentity(mapping, said({ claims: { groups } })).subject).toBe('employee_id:b');
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});

describe('an identifier across connections', () => {
  const across = (settings: object) => ({
    attributes: {},
    identifier: identifierSchema.parse({ attribute: 'n', acrossConnections: true, ...settings }),
  });

  test('names the person to the tenant, by the normalized value, beside the subject at the connection', () => {
    const mapping = across({ type: 'employee_id', normalize: ['trim', 'strip_leading_zeros'] });
    expect(mapIdentity(mapping, said({ claims: { n: ' 0042 ' } }))).toMatchObject({
      subject: 'employee_id:42',
      person: { type: 'employee_id', value: '42' },
    });
  });

  test('is one where the connection is believed in it, and no other identifier is', () => {
    for (const acrossConnections of [false, undefined]) {
      const identifier = { type: 'custom' as const, attribute: 'n', normalize: [] };
      const mapping = {
        attributes: {},
        identifier: { ...identifier, ...(acrossConnections === false ? { acrossConnections } : {}) },
      };
      expect(mapIdentity(mapping, said({ claims: { n: '42' } }))).not.toHaveProperty('person');
    }
    expect(mapIdentity(nothing, said())).not.toHaveProperty('person');
  });

  test('is no address: whose that is its domain says', () => {
    const { success, error } = identifierSchema.safeParse({
      type: 'email',
      attribute: 'email',
      acrossConnections: true,
    });
    expect([success, error?.issues[0]?.path]).toEqual([false, ['acrossConnections']]);
    expect(identifierSchema.safeParse({ type: 'email', attribute: 'email', acrossConnections: false }).success).toBe(
      true,
    );
  });
});
