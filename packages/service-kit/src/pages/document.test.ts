import { describe, expect, test } from '@jest/globals';
import { contentSecurityPolicy, documentOf } from './document.ts';
import { html } from './html.ts';

const words = { title: 'Sign in', content: html`<p>Hello</p>` };
const acme = { displayName: 'Acme', logoUrl: 'https://logos.acme.example/a.svg?x=1&y="2"' };
const documentWith = (more: Partial<Parameters<typeof documentOf>[1]>) =>
  documentOf(words, { language: 'en', brand: null, productName: '', ...more });
const titleOf = (text: string) => /<title>(.*)<\/title>/.exec(text)?.[1];

describe('a page', () => {
  test('is called after the tenant and the product, and after us only where neither has a name', () => {
    expect(titleOf(documentWith({}))).toBe('Sign in · Reeve');
    expect(titleOf(documentWith({ productName: 'Chatter' }))).toBe('Sign in · Chatter');
    expect(titleOf(documentWith({ brand: acme }))).toBe('Sign in · Acme');
    expect(titleOf(documentWith({ brand: acme, productName: 'Chatter' }))).toBe('Sign in · Acme · Chatter');
    expect(documentWith({ brand: acme, productName: 'Chatter' })).not.toContain('Reeve');
  });

  test('says its language, and which way that is written', () => {
    expect(documentWith({ language: 'ja' })).toContain('<html lang="ja" dir="ltr">');
  });

  test('shows a logo that is read out as the name, and tells its host of nobody', () => {
    const text = documentWith({ brand: acme });
    expect(text).toContain('<img src="https://logos.acme.example/a.svg?x=1&amp;y=&quot;2&quot;" alt="Acme"');
    expect(text).toContain('referrerpolicy="no-referrer"');
    expect(documentWith({ brand: { ...acme, logoUrl: null } })).not.toContain('<img');
  });

  test('shows a name as it is: no markup, no other attribute, its direction to itself', () => {
    const text = documentWith({ brand: { displayName: '"><script>alert(1)</script>', logoUrl: acme.logoUrl } });
    expect(text).not.toContain('<script');
    expect(text).toContain('alt="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"');
    expect(text).toContain('<bdi>&quot;&gt;&lt;script&gt;');
  });

  test('runs no script of its own', () => {
    expect(documentWith({ brand: acme })).not.toMatch(/<script|\son\w+=/);
  });
});

describe('the policy of a page', () => {
  test('allows nothing but its style, and its forms to itself', () => {
    expect(contentSecurityPolicy()).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'sha256-[^']+'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
  });

  test('names the origin of the logo, and no other', () => {
    expect(contentSecurityPolicy({ image: acme.logoUrl })).toContain(' img-src https://logos.acme.example;');
    expect(contentSecurityPolicy()).not.toContain('img-src');
  });
});
