// Audit ingest while the log of another tenant is being removed, against the same without. The removal is that of a
// deletion request, since nothing here is old enough for retention; both remove in the same way.
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@reeve/contracts';
import { signedInAs } from '../support/person.ts';
import { demoUser } from '../support/running-system.ts';
import { drained, makeEvents, produce } from './audit-events.ts';
import type { Bench, BenchContext } from './bench-context.ts';
import { events, filledTenant, tenants } from './filled-log.ts';

const count = 10_000;
const rounds = 3;

type Request = { id: string; removed: number };

export const auditRemoval: Bench = {
  name: 'audit: events chained while others are removed',
  unit: 'events/s',
  floorIs: 'the same with nothing being removed',
  wanted: 0.75,
  async run(context: BenchContext) {
    const { credentials, kafka } = context;
    const own = await filledTenant(context);
    const ingest = async () => {
      const messages = makeEvents(
        count,
        Array.from({ length: tenants }, () => newId('tenant')),
      );
      const began = performance.now();
      await produce(kafka, 'reeve.auth.v1', messages);
      await drained(kafka);
      return count / ((performance.now() - began) / 1_000);
    };
    const mean = async () => {
      let sum = 0;
      for (let round = 0; round < rounds; round += 1) sum += await ingest();
      return sum / rounds;
    };
    await ingest();
    const floor = await mean();

    const audit = `${credentials.urls.audit}/v1/tenants/${own.tenant.id}/audit`;
    const as = { role: 'tenant_admin', resource: credentials.urls.audit };
    const [one, other] = [
      await signedInAs({ ...own, credentials }, { person: demoUser(credentials), ...as }),
      await signedInAs({ ...own, credentials }, { person: demoUser(credentials, 1), ...as }),
    ];
    const body = { scope: { classes: ['auth'] }, reason: 'measured' };
    const { id } = await one.json<Request>('POST', `${audit}/deletion-requests`, body);
    await other.json('POST', `${audit}/deletion-requests/${id}:confirm`);
    // The list, which unlike the single request does not count what is in its scope.
    const removed = async () =>
      (await own.api.get<{ items: Request[] }>(`${audit}/deletion-requests`)).items[0]?.removed ?? 0;
    while ((await removed()) === 0) await sleep(100);
    const rateDuring = async <T>(work: Promise<T>) => {
      const [before, began] = [await removed(), performance.now()];
      const result = await work;
      const perSecond = Math.round(((await removed()) - before) / ((performance.now() - began) / 1_000));
      return { result, perSecond };
    };
    const { result: ours, perSecond: removedPerSecond } = await rateDuring(mean());
    if (removedPerSecond === 0) throw new Error('nothing was removed while it was measured');
    const { perSecond: removedPerSecondAlone } = await rateDuring(sleep(5_000));
    return {
      ours,
      floor,
      details: { events: count, tenants, loaded: events, removedPerSecond, removedPerSecondAlone },
    };
  },
};
