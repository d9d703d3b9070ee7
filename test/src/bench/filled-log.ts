// The log that is read, and in the end removed, by benchmarks: `REEVE_BENCH_EVENTS` says of how many events.
import { newId } from '@reeve/contracts';
import { freshTenant, type TestTenant } from '../support/running-system.ts';
import { load } from './audit-events.ts';
import type { BenchContext } from './bench-context.ts';

export const events = Number(process.env['REEVE_BENCH_EVENTS'] ?? 1_000_000);
export const tenants = 200;

/** What is read is the log of one tenant. It has a tenth of the events, or all where they are few. */
const ofTheRead = Math.min(1, Math.max(20_000, events / 10) / events);

let read: TestTenant | undefined;
const others = Array.from({ length: tenants - 1 }, () => newId('tenant'));
let loaded = 0;

/** The tenant that is read, when there are so many events of all of them. */
export async function filledTenant({ credentials, kafka }: BenchContext, upTo = events): Promise<TestTenant> {
  read ??= await freshTenant(credentials, 'bench-log');
  const more = Math.max(0, upTo - loaded);
  if (more > 0) console.log(`  loading ${more} events of ${tenants} tenants …`);
  const own = Math.round(more * ofTheRead);
  await load(kafka, own, [read.tenant.id]);
  await load(kafka, more - own, others);
  loaded += more;
  return read;
}
