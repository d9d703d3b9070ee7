import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { createLimits } from './receivers.ts';

type Limits = ReturnType<typeof createLimits>;
type Charged = Parameters<Limits['charge']>[0];

const receiver = (perSecond: number): Charged => ({
  id: newId('endpoint'),
  tenantId: newId('tenant'),
  endpoint: { limits: { perSecond } },
});

async function taken(limits: Limits, of: Charged, repetition: boolean): Promise<number> {
  for (let count = 0; ; count += 1) {
    try {
      await limits.charge(of, { repetition });
    } catch (error) {
      expect(error).toMatchObject({ code: 'rate_limited', retryAfterSeconds: 1 });
      return count;
    }
    if (count > 100) return count;
  }
}

describe('limits', () => {
  test('an endpoint takes as many first deliveries a second as it says, and then says when to come back', async () => {
    expect(await taken(createLimits(true), receiver(7), false)).toBe(7);
  });

  test('a repetition costs a tenth', async () => {
    expect(await taken(createLimits(true), receiver(7), true)).toBe(70);
  });

  test('one endpoint’s storm leaves another’s limit alone', async () => {
    const limits = createLimits(true);
    const [one, other] = [receiver(5), receiver(5)];
    await taken(limits, one, false);
    expect(await taken(limits, other, false)).toBe(5);
  });

  test('lifted, nothing is counted', async () => {
    expect(await taken(createLimits(false), receiver(1), false)).toBeGreaterThan(100);
  });
});
