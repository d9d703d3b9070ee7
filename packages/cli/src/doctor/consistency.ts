// `reeve doctor --consistency`: what is not in the stores since they were restored, and whether every log verifies.
import { z } from 'zod';
import { connect } from '../api.ts';
import type { Finding, Installation, Name } from './finding.ts';

const gapAnswer = z.object({
  gap: z
    .object({
      restoredTo: z.string(),
      at: z.string(),
      total: z.number(),
      types: z.array(z.object({ type: z.string(), count: z.number(), tightened: z.boolean() })),
      events: z.array(z.object({ id: z.string(), type: z.string(), tenantId: z.string(), subject: z.string() })),
    })
    .nullable(),
});
type Gap = NonNullable<z.infer<typeof gapAnswer>['gap']>;

const tenantPage = z.object({ items: z.array(z.object({ id: z.string() })), nextCursor: z.string().nullable() });
const verification = z.object({
  records: z.number(),
  finding: z.object({ problem: z.string(), detail: z.string() }).nullable(),
});

type Api = Awaited<ReturnType<typeof connect>>;
const shownFirst = 20;

/** Says on stderr how far it is. */
export async function checkConsistency(
  { urls, ...credentials }: Installation,
  { tenants }: { tenants: readonly string[] | undefined },
): Promise<Finding[]> {
  const api = (url: string) => connect({ ...credentials, reason: 'reeve doctor --consistency' }, url);
  const findings: Finding[] = [];
  for (const { service, url } of urls) {
    if (url === undefined) continue;
    console.error(`reeve: asking ${service} what it lacks since it was restored …`);
    const { gap } = gapAnswer.parse(await (await api(url)).get('/v1/diagnostics/gap'));
    findings.push(...findingsOf(service, gap));
  }
  const urlOf = (name: Name) => urls.find(({ service }) => service === name)?.url;
  const [directory, audit] = [urlOf('provisioning'), urlOf('audit')];
  if (audit === undefined || (directory === undefined && tenants === undefined)) {
    const advice = 'Give --audit, and --provisioning or --tenant.';
    const detail = 'the logs were not verified';
    return [...findings, { service: 'audit', from: 'inside', code: 'audit_chains', status: 'warning', detail, advice }];
  }
  const all = tenants ?? (directory === undefined ? [] : await listTenants(await api(directory)));
  return [...findings, ...(await verifyAll(await api(audit), all))];
}

function findingsOf(service: Name, gap: Gap | null): Finding[] {
  const about = { service, from: 'inside', code: 'restore_gap' } as const;
  if (!gap) return [{ ...about, status: 'ok', detail: 'its store was never restored', advice: null }];
  const period = `between ${gap.restoredTo} and ${gap.at}`;
  if (gap.total === 0) return [{ ...about, status: 'ok', detail: `it did nothing ${period}`, advice: null }];
  const counts = gap.types.map(({ type, count }) => `${count} ${type}`).join(', ');
  const tightened = new Set(gap.types.flatMap(one => (one.tightened ? [one.type] : [])));
  const named = gap.events.filter(({ type }) => tightened.has(type));
  const shown = named.slice(0, shownFirst).map(({ type, subject, tenantId }) => `${type} ${subject} of ${tenantId}`);
  const more = named.length > shown.length ? [`… see GET /v1/diagnostics/gap for the others`] : [];
  return [
    {
      ...about,
      status: 'warning',
      detail: `${gap.total} events ${period} are on Kafka, and what they did is not in its store: ${counts}`,
      advice:
        named.length === 0 ? 'See docs/backup.md.' : ['Do again, first of all:', ...shown, ...more].join('\n         '),
    },
  ];
}

async function listTenants(api: Api): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const query = new URLSearchParams({ limit: '100', ...(cursor === '' ? {} : { cursor }) });
    const page: z.infer<typeof tenantPage> = tenantPage.parse(await api.get(`/v1/tenants?${query}`));
    found.push(...page.items.map(({ id }) => id));
    cursor = page.nextCursor;
  }
  return found;
}

async function verifyAll(api: Api, tenants: readonly string[]): Promise<Finding[]> {
  const about = { service: 'audit', from: 'inside', code: 'audit_chains' } as const;
  const advice = 'See docs/backup.md, and keep the store as it is until it is known why.';
  const wrong: Finding[] = [];
  let records = 0;
  for (const [index, tenant] of tenants.entries()) {
    console.error(`reeve: verifying the log of ${tenant} (${index + 1} of ${tenants.length}) …`);
    try {
      const path = `/v1/tenants/${encodeURIComponent(tenant)}/audit/verify`;
      const { records: read, finding } = verification.parse(await api.get(path));
      records += read;
      const detail = `${tenant}: ${finding?.problem}: ${finding?.detail}`;
      if (finding) wrong.push({ ...about, status: 'failed', detail, advice });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      wrong.push({ ...about, status: 'failed', detail: `${tenant}: not verified: ${why}`, advice });
    }
  }
  if (wrong.length > 0) return wrong;
  const detail = `${records} records of ${tenants.length} tenants verify`;
  return [{ ...about, status: 'ok', detail, advice: null }];
}
