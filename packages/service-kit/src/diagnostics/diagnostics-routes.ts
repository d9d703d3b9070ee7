import { z } from 'zod';
import type { GuardedFetch } from '../outbound.ts';
import { platformRoute, type Route } from '../route.ts';
import { type Check, failed, ok } from './checks.ts';
import { type Gap, gapView } from './gap.ts';

type Parts = { diagnose: () => Promise<Check[]>; findGap: () => Promise<Gap | null> };
/** Of a service that reaches places that tenants name. */
type Egress = { fetch: GuardedFetch };

/** `reeve doctor` asks every service. */
export function diagnosticsRoutes({ diagnose, findGap }: Parts, egress?: Egress): Route[] {
  return [
    platformRoute({
      method: 'get',
      path: '/v1/diagnostics',
      summary: 'What this instance sees of its store, of Kafka and of the issuer; `reeve doctor` shows it',
      action: 'diagnostics:read',
      query: z.strictObject({
        reach: z
          .url({ protocol: /^https?$/ })
          .max(2_000)
          .optional()
          .describe('A place that a tenant might name: does this service get there'),
      }),
      response: z.object({
        at: z.iso.datetime().describe('By the clock of the service'),
        checks: z.array(
          z.object({
            code: z.string().describe('docs/doctor.md lists them'),
            status: z.enum(['ok', 'warning', 'failed']),
            detail: z.string(),
            advice: z.string().nullable(),
          }),
        ),
      }),
      async handle({ query: { reach } }) {
        const checks = await diagnose();
        if (reach !== undefined && egress) checks.push(await checkEgress(reach, egress));
        return { body: { at: new Date().toISOString(), checks } };
      },
    }),
    platformRoute({
      method: 'get',
      path: '/v1/diagnostics/gap',
      summary:
        'What this service had done between a backup and its restore, by the events on Kafka: it is not in the store. ' +
        '`reeve doctor --consistency` shows it',
      action: 'diagnostics:read',
      response: z.object({ gap: gapView.nullable().describe('Null for a store that was never restored') }),
      handle: async () => ({ body: { gap: await findGap() } }),
    }),
  ];
}

/** By the guard that everything goes through that a tenant names. Nothing of the answer is told but its status. */
async function checkEgress(reach: string, { fetch }: Egress): Promise<Check> {
  const { host } = new URL(reach);
  try {
    const { status } = await fetch(reach, { withoutBody: true });
    return ok('egress', `${host} answers with ${status}`);
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
    const advice = 'See egress in docs/kubernetes.md, the DNS of the cluster, and REEVE_ALLOWED_NETWORKS.';
    return failed('egress', `${host} is not reached: ${why}`, advice);
  }
}
