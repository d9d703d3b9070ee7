import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { type KnownTenant, tenantDirectory } from './tenant-directory.ts';

function setUp(...tenants: KnownTenant[]) {
  const looked: string[] = [];
  const known = [...tenants];
  const directory = tenantDirectory(async reference => {
    looked.push(reference);
    return known.find(({ id, slug }) => id === reference || slug === reference) ?? null;
  });
  return { directory, looked, known };
}

const acme = (): KnownTenant => ({ id: newId('tenant'), slug: 'acme', status: 'active' });
const timed = async <T>(work: () => Promise<T>) => {
  const began = Date.now();
  const result = await work();
  return { result, ms: Date.now() - began };
};

describe('a tenant', () => {
  test('is found by id and by slug, and looked for once', async () => {
    const tenant = acme();
    const { directory, looked } = setUp(tenant);
    expect(await directory.find(tenant.slug)).toEqual(tenant);
    expect(await directory.find(tenant.id)).toEqual(tenant);
    expect(await directory.findNow(tenant.slug)).toEqual(tenant);
    expect(await directory.findNamed(' Acme ')).toEqual(tenant);
    expect(looked).toEqual(['acme']);
    expect(await directory.findNow(' Acme ')).toBeNull();
  });

  test('that was made a moment ago is waited for, by those who are known', async () => {
    const tenant = acme();
    const { directory, known } = setUp();
    setTimeout(() => known.push(tenant), 300);
    expect((await timed(() => directory.find(tenant.id))).result).toEqual(tenant);
  });

  test('that a stranger names makes nobody wait: an unknown name takes as long as a known one', async () => {
    const { directory, looked } = setUp(acme());
    for (const reference of ['nobody', newId('tenant'), '']) {
      const { result, ms } = await timed(() => directory.findNow(reference));
      expect([result, ms < 1_000]).toEqual([null, true]);
    }
    expect(looked).toHaveLength(3);
  });

  test('whose slug is unknown, or whose id is old or of the future, is not waited for', async () => {
    const { directory } = setUp();
    const old = 'ten_01934f4c-0000-7000-8000-000000000000';
    expect((await timed(() => directory.find('nobody'))).ms).toBeLessThan(1_000);
    expect((await timed(() => directory.find(old))).ms).toBeLessThan(1_000);
    const future = 'ten_fffffffff-ffff-7fff-8fff-ffffffffffff';
    expect((await timed(() => directory.find(future))).ms).toBeLessThan(3_500);
  });
});
