import { describe, expect, test } from '@jest/globals';
import { type Amounts, amountsOf, type Costs, type Operation, operations, readCosts } from './costs.ts';
import { needsOf, type Plan } from './needs.ts';
import { printedNeeds } from './printed.ts';

const nothing: Amounts = { processorMs: {}, storeBytes: {}, topicBytes: {}, auditEvents: 0 };
const of = (changes: Partial<Amounts>): Amounts => ({ ...nothing, ...changes });
const webhook = of({
  processorMs: { 'webhook-ingress': 1, audit: 1, mongodb: 0.5 },
  storeBytes: { audit: 1_000, 'webhook-ingress': 100 },
  topicBytes: { 'reeve.webhook.v1': 500, 'reeve.directory.v1': 10 },
  auditEvents: 1,
});
const costs: Costs = {
  measuredAt: '2026-11-28',
  machine: 'none',
  atRest: { processorMs: { auth: 10 }, memoryMb: { auth: 100 } },
  operations: {
    ...(Object.fromEntries(operations.map(name => [name, nothing])) as Record<Operation, Amounts>),
    signIn: of({ processorMs: { auth: 30 }, auditEvents: 4 }),
    webhook,
    webhookOfQuietTenant: { ...webhook, processorMs: { 'webhook-ingress': 1, audit: 3, mongodb: 0.5 } },
  },
  checks: [],
};
const plan = (changes: Partial<Plan>): Plan => ({
  tenants: 1,
  perDay: {},
  peak: 1,
  auditDays: 365,
  prices: null,
  ...changes,
});
const coresOf = (name: string, changes: Partial<Plan>) =>
  needsOf(costs, plan(changes)).services.find(service => service.name === name)?.cores ?? Number.NaN;

describe('what a load costs', () => {
  test('is what one of each costs, so many times, and what goes on at rest', () => {
    const { processorMs, auditEvents } = amountsOf(costs, { counts: { signIn: 2 }, seconds: 10, tenants: 0 });
    expect({ processorMs, auditEvents }).toEqual({
      processorMs: expect.objectContaining({ auth: 160 }),
      auditEvents: 8,
    });
  });

  test.each([
    { tenants: 1, seconds: 60, checkpoints: 1 },
    { tenants: 1, seconds: 600, checkpoints: 10 },
    { tenants: 10, seconds: 600, checkpoints: 100 },
    { tenants: 5_000, seconds: 600, checkpoints: 1_000 },
  ])('counts a checkpoint for each tenant and minute, and none without an event: %j', given => {
    const { checkpoints, ...when } = given;
    const { processorMs } = amountsOf(costs, { counts: { webhook: 1_000 }, ...when });
    expect(processorMs['audit']).toBe(1_000 + 2 * checkpoints);
  });
});

describe('what is needed', () => {
  test('grows with what there is in the busiest hour', () => {
    // 100 a second, of which one takes 30 ms, on cores of which six tenths are used.
    const some = { perDay: { signIn: 8_640_000 } };
    expect(coresOf('auth', some)).toBeCloseTo((100 * 30 + 10) / 1_000 / 0.6, 3);
    expect(coresOf('auth', { ...some, peak: 3 })).toBeCloseTo((300 * 30 + 10) / 1_000 / 0.6, 3);
  });

  test('is three of each at least, and partitions for all of them', () => {
    const { services, kafka, mongodb } = needsOf(costs, plan({}));
    expect(services.map(({ pods }) => pods)).toEqual([3, 3, 3, 3, 3]);
    expect([kafka.partitions, mongodb.cells]).toEqual([3, 1]);
  });

  test('has disks by how long things are kept', () => {
    const { mongodb, kafka } = needsOf(costs, plan({ perDay: { webhook: 1_000_000 }, auditDays: 10 }));
    expect(mongodb.gigabytes).toMatchObject({ audit: 10, 'webhook-ingress': 3 });
    // Thirty days of one topic; three years of the other, which is kept for ever.
    expect(kafka.gigabytes).toBeCloseTo(0.5 * 30 + 0.01 * 1_095, 6);
  });

  test('is several installations where one store would be too large', () => {
    const { mongodb, kafka } = needsOf(costs, plan({ perDay: { webhook: 1e10 }, tenants: 1_000_000, auditDays: 1 }));
    expect(mongodb.cells).toBeGreaterThan(1);
    expect(mongodb.coresOfMember).toBeLessThanOrEqual(32);
    expect(kafka.partitions).toBeGreaterThan(3);
  });

  test('costs what cores and gigabytes cost', () => {
    const needs = needsOf(costs, plan({ perDay: { webhook: 1_000_000 }, prices: { core: 20, gigabyte: 0.1 } }));
    expect(needs.costPerMonth).toBeCloseTo(needs.coresInAll * 20 + needs.gigabytesInAll * 0.1, 6);
    expect(printedNeeds(needs)).toMatch(/^A month: \d/m);
  });

  test.each(['tenants', 'peak', 'auditDays', 'webhook'])('names %s where it is below 0, or no number', name => {
    for (const value of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      const changes = name === 'webhook' ? { perDay: { webhook: value } } : { [name]: value };
      expect(() => needsOf(costs, plan(changes))).toThrow(`${name} must be a number that is not below 0`);
    }
  });
});

test('what was measured is whole, and reckons rather too much than too little', () => {
  const measured = readCosts();
  expect(measured.checks).toHaveLength(2);
  for (const { name, ratio } of measured.checks)
    for (const share of Object.values(ratio)) expect([name, share > 0.8 && share < 4]).toEqual([name, true]);
  for (const operation of operations) expect(measured.operations[operation].processorMs['mongodb']).toBeGreaterThan(0);
});
