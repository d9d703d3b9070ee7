import { describe, expect, test } from '@jest/globals';
import { type Rehearsed, rehearse, type Said, type Settings } from './rehearsal.ts';

const present: Settings = {
  kind: 'oidc',
  issuer: 'https://idp.example',
  attributes: {},
  identifier: null,
  jit: { enabled: true, defaultRoles: [] },
};
const signIn = (id: string, more: Partial<Said> = {}, wasCreated = false): Rehearsed => ({
  id,
  wasCreated,
  said: {
    issuer: present.issuer,
    subject: id,
    email: `${id}@acme.example`,
    emailVerified: true,
    displayName: null,
    claims: { employee: id },
    ...more,
  },
});
const byEmployee: Settings = { ...present, identifier: { type: 'employee_id', attribute: 'employee', normalize: [] } };

describe('a rehearsal', () => {
  test('of no change finds nothing', async () => {
    expect(await rehearse([signIn('ada'), signIn('bob')], present, present)).toEqual({
      signIns: 2,
      failing: [],
      renamed: 0,
      merged: 0,
    });
  });

  test('says who would fail, by its cause, and who would be somebody new', async () => {
    const signIns = [signIn('ada'), signIn('bob', { claims: {} }), signIn('eve', { claims: {} })];
    expect(await rehearse(signIns, present, byEmployee)).toEqual({
      signIns: 3,
      failing: [{ cause: 'attribute_missing', count: 2, attempts: ['bob', 'eve'] }],
      renamed: 1,
      merged: 0,
    });
  });

  test('finds people who would be one, and not one who came twice', async () => {
    const signIns = [
      signIn('ada', { claims: { employee: '7' } }),
      signIn('ada', { claims: { employee: '7' } }),
      signIn('bob', { claims: { employee: '7' } }),
      signIn('eve', { claims: { employee: '8' } }),
    ];
    expect(await rehearse(signIns, present, byEmployee)).toMatchObject({ failing: [], merged: 2 });
  });

  test.each([
    ['oidc', 'issuer_wrong'],
    ['saml', 'saml_issuer'],
  ] as const)('of another provider (%s) is one where nobody comes in: %s', async (kind, cause) => {
    const planned = { ...present, kind, issuer: 'https://other.example' };
    expect((await rehearse([signIn('ada')], { ...present, kind }, planned)).failing).toEqual([
      { cause, count: 1, attempts: ['ada'] },
    ]);
  });

  test('without just-in-time provisioning refuses those who were made by signing in', async () => {
    const planned = { ...present, jit: { enabled: false, defaultRoles: [] } };
    expect((await rehearse([signIn('ada', {}, true), signIn('bob')], present, planned)).failing).toEqual([
      { cause: 'identity_unknown', count: 1, attempts: ['ada'] },
    ]);
  });

  test('names five of those that would fail', async () => {
    const signIns = Array.from({ length: 9 }, (_, index) => signIn(`p${index}`, { claims: {} }));
    const [failing] = (await rehearse(signIns, present, byEmployee)).failing;
    expect([failing?.count, failing?.attempts.length]).toEqual([9, 5]);
  });

  test('gives others their turn, and comes to an end', async () => {
    const g = Array.from({ length: 4_000 }, (_, index) => index);
    const expression = Array.from({ length: 10 }, () => 'claims.g.exists(v, v == -1)').join(' || ');
    const heavy = { expression: `(${expression}) ? "a" : claims.id` };
    const planned: Settings = { ...present, identifier: { type: 'custom', attribute: heavy, normalize: [] } };
    const signIns = Array.from({ length: 2_000 }, (_, index) =>
      signIn(`p${index}`, { claims: { g, id: `p${index}` } }),
    );
    let longest = 0;
    let last = performance.now();
    const beat = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const { signIns: gone } = await rehearse(signIns, present, planned);
    clearInterval(beat);
    expect(longest).toBeLessThan(2_000);
    expect(gone).toBeLessThan(2_000);
  }, 30_000);
});
