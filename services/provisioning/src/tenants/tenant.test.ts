import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { nameSchema, open, rename, resume, slugSchema, suspend, type Tenant, tenants } from './tenant.ts';

const id = newId('tenant');
const acme: Tenant = { slug: 'acme', name: 'Acme', status: 'active', createdAt: '2026-11-25T12:00:00.000Z' };
const suspended: Tenant = { ...acme, status: 'suspended' };

describe('a tenant', () => {
  test('is active from the beginning', () => {
    const { status: _, ...asked } = suspended;
    expect(open(id, asked)).toMatchObject({ state: acme, events: [{ type: 'tenant.created' }] });
  });

  test('is suspended once and resumed once, and says each time what it is now', () => {
    expect(suspend(id, acme)).toMatchObject({
      state: suspended,
      events: [{ type: 'tenant.suspended', details: { slug: 'acme', status: 'suspended' } }],
    });
    expect(suspend(id, suspended)).toBeNull();
    expect(resume(id, suspended)).toMatchObject({
      state: acme,
      events: [{ type: 'tenant.updated', details: { slug: 'acme', status: 'active', changed: ['status'] } }],
    });
    expect(resume(id, acme)).toBeNull();
  });

  test('that is renamed while it is suspended stays suspended', () => {
    expect(rename(id, suspended, 'Other')).toMatchObject({
      state: { ...suspended, name: 'Other' },
      events: [{ type: 'tenant.updated', details: { slug: 'acme', status: 'suspended', changed: ['name'] } }],
    });
    expect(rename(id, acme, 'Acme')).toBeNull();
  });

  test('is found by its slug, whatever happens to it', () => {
    for (const tenant of [acme, suspended]) expect(tenants.globallyUnique?.['slug']?.(tenant, id)).toBe('acme');
  });
});

describe('a slug', () => {
  test.each(['acme', 'a-1', 'x'.repeat(40), 'ten-0'])('may be %s', slug => {
    expect(slugSchema.safeParse(slug).success).toBe(true);
  });

  // Nothing that could be an id, another path, or the same as another one to the eye.
  test.each([
    '',
    'ab',
    'x'.repeat(41),
    'Acme',
    '1acme',
    '-acme',
    'acme-',
    'ac me',
    'ac.me',
    'ac/me',
    'ten_1',
    '\u0430cme',
  ])('may not be %j', slug => {
    expect(slugSchema.safeParse(slug).success).toBe(false);
  });
});

test('a name is what is left without the space around it, and in whatever script', () => {
  expect(nameSchema.parse('  株式会社 Zoë 😀 ')).toBe('株式会社 Zoë 😀');
  for (const name of ['', ' \t ', 'a'.repeat(201)]) expect(nameSchema.safeParse(name).success).toBe(false);
});
