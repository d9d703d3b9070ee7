import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { defaultSettings } from './endpoint.ts';
import { createLimits, createReceivers } from './receivers.ts';

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

test('an endpoint that is changed while it is looked up is found all the same, and looked up again afterwards', async () => {
  const id = newId('endpoint');
  let lookUps = 0;
  let answer: () => void = () => undefined;
  const state = { ...defaultSettings, status: 'active', secrets: [], scheme: 'standard', signature: null };
  const found = { tenantId: newId('tenant'), id, state };
  const getByUnique = async () => {
    lookUps += 1;
    await new Promise<void>(resolve => {
      answer = resolve;
    });
    return found;
  };
  const receivers = createReceivers({
    endpoints: { acrossTenants: () => ({ getByUnique }) },
    tenants: { find: () => Promise.resolve(null) },
    clock: { now: () => new Date() },
    limited: false,
  } as unknown as Parameters<typeof createReceivers>[0]);
  const asked = receivers.find(id, null);
  await new Promise(resolve => setTimeout(resolve, 5));
  receivers.forget(id);
  answer();
  expect((await asked)?.id).toBe(id);
  const again = receivers.find(id, null);
  await new Promise(resolve => setTimeout(resolve, 5));
  answer();
  expect([(await again)?.id, lookUps]).toEqual([id, 2]);
});
