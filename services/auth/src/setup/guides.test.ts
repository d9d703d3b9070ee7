import { describe, expect, test } from '@jest/globals';
import { signInCauses } from '@reeve/contracts';
import { connectionBody } from '../connections/create-connection.ts';
import { noProfile } from '../connections/kinds/kind.ts';
import { createKinds } from '../connections/kinds/registry.ts';
import { mapIdentity } from '../connections/mapping.ts';
import { guidePages } from './guide-pages.ts';
import { guides } from './guides.ts';

// Of the kinds only the schemas of their settings are needed.
const nothing = {
  network: {},
  store: { platformRecords: () => ({}) },
  vault: {},
  clock: {},
  ownIssuer: 'https://auth.example',
};
const body = connectionBody(createKinds(nothing as never));

describe.each(guides.map(guide => ({ guide, id: guide.id })))('the guide $id', ({ guide }) => {
  test('has a sample that the API takes, once its placeholders are replaced', () => {
    const filled: unknown = JSON.parse(JSON.stringify(guide.sample).replace(/<[^<>"]+>/g, 'placeholder'));
    expect(body.safeParse(filled).error).toBeUndefined();
  });

  test('says of each pitfall what it means and what to do', () => {
    const page = guidePages().get(`${guide.id}.md`) ?? '';
    for (const [cause] of guide.pitfalls) expect(page).toContain(signInCauses[cause][1]);
    for (const [, ours] of guide.copied) expect(page).toContain(ours);
  });
});

test('there are guides for each vendor, by both protocols', () => {
  const of = (protocol: string) => guides.filter(guide => guide.protocol === protocol).length;
  expect([of('OpenID Connect'), of('SAML'), new Set(guides.map(({ id }) => id)).size]).toEqual([8, 8, 16]);
});

test('a private Google account is nobody to a connection of a Workspace', () => {
  const sample = guides.find(({ id }) => id === 'google-oidc')?.sample;
  const { identifier } = JSON.parse(JSON.stringify(sample).replace('<your domain>', 'acme.example')) as never;
  const said = (claims: Record<string, unknown>) =>
    ({ claims, claimsDropped: [], subject: 'x', profile: noProfile }) as never;
  const of = (claims: Record<string, unknown>) => {
    const mapping = { attributes: {}, identifier: { normalize: [], ...(identifier as object) } } as never;
    return mapIdentity(mapping, said(claims)).subject;
  };
  expect(of({ sub: '1', hd: 'acme.example' })).toBe('custom:1');
  for (const claims of [{ sub: '1' }, { sub: '1', hd: 'evil.example' }, { sub: '1', hd: ['acme.example'] }])
    expect(() => of(claims)).toThrow(expect.objectContaining({ step: 'attribute_missing' }));
});
