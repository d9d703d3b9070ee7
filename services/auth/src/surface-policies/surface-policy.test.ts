import { describe, expect, test } from '@jest/globals';
import { assertWithin, effective, reset, type SurfacePolicy, set } from './surface-policy.ts';

const policy = (change: Partial<SurfacePolicy> = {}): SurfacePolicy => ({
  idleSeconds: 600,
  absoluteSeconds: 3_600,
  deviceChange: 'sign_in',
  providerLogout: true,
  ...change,
});

describe('what holds for a surface', () => {
  test('is what Reeve says, unless the platform says otherwise', () => {
    expect(effective('console', {})).toMatchObject({
      idleSeconds: 1_800,
      absoluteSeconds: 28_800,
      deviceChange: 'end',
    });
    expect(effective('something', {})).toMatchObject({ idleSeconds: null, absoluteSeconds: 43_200 });
    expect(effective('console', { platform: policy() })).toEqual(policy());
  });

  test('is the stricter of what the platform and the tenant say', () => {
    const tenant = policy({ idleSeconds: null, absoluteSeconds: 7_200, deviceChange: 'end', providerLogout: false });
    expect(effective('console', { platform: policy(), tenant })).toEqual(
      policy({ deviceChange: 'end', providerLogout: false }),
    );
  });
});

describe('a tenant', () => {
  test('may say what is as strict, or stricter', () => {
    for (const change of [{}, { idleSeconds: 300 }, { absoluteSeconds: 600 }, { deviceChange: 'end' }] as const)
      expect(() => assertWithin(policy(change), policy())).not.toThrow();
    expect(() => assertWithin(policy(), policy({ idleSeconds: null }))).not.toThrow();
  });

  test.each([
    [{ idleSeconds: 601 }, 'idleSeconds'],
    [{ idleSeconds: null }, 'idleSeconds'],
    [{ absoluteSeconds: 3_601 }, 'absoluteSeconds'],
    [{ deviceChange: 'ignore' }, 'deviceChange'],
  ] as const)('may not say %j', (change, field) => {
    let refusal: unknown;
    try {
      assertWithin(policy(change), policy());
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({ code: 'input_invalid', errors: [{ field }] });
  });
});

describe('a change', () => {
  test('is on the record with what changed, and once', () => {
    const first = set('console', null, policy());
    expect(first?.events).toMatchObject([{ type: 'policy.updated', target: { id: 'surface/console' } }]);
    expect(set('console', policy(), policy())).toBeNull();
    const second = set('console', policy(), policy({ idleSeconds: 300 }));
    expect(second?.events).toMatchObject([{ details: { changed: ['idleSeconds'] } }]);
    expect(reset('console', policy(), new Date())?.events).toMatchObject([{ reason: { code: 'reset' } }]);
  });
});
