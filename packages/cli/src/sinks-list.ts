// `reeve sinks list [tenant]`: the sinks that the audit log is pushed to, and how far each is.
import { Command } from 'commander';
import { z } from 'zod';
import { type Credentials, complain, connect, credentialOptions, required } from './api.ts';

type Options = Credentials & { audit: string; provisioning: string; failing?: true };

const sink = z.object({
  id: z.string(),
  name: z.string(),
  target: z.object({ kind: z.string() }),
  status: z.string(),
  health: z.string(),
  behind: z.number(),
  lastDeliveredAt: z.string().nullable(),
  lastError: z.object({ code: z.string(), detail: z.string(), at: z.string() }).nullable(),
});
const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), nextCursor: z.string().nullable() });
const sinks = pageOf(sink);
const tenants = pageOf(z.object({ id: z.string(), slug: z.string() }));

const explained = `
Without a tenant it asks for those of every tenant, one after the other.

Ends with 0; with 1 where a sink fails; with 2 where it could not be read.`;

export function listSinksCommand(): Command {
  const command = new Command('list')
    .showHelpAfterError()
    .description('List the sinks of a tenant, or of all, with how far each is')
    .argument('[tenant]', 'id or slug')
    .option('--failing', 'only those whose last delivery failed')
    .addOption(required('--audit <url>', 'the audit service', 'REEVE_AUDIT_URL'))
    .addOption(required('--provisioning <url>', 'the provisioning service', 'REEVE_PROVISIONING_URL'))
    .addHelpText('after', explained)
    .action(async (tenant: string | undefined, { audit, provisioning, failing, ...credentials }: Options) => {
      try {
        const by = { ...credentials, reason: 'reeve sinks list' };
        const api = await connect(by, audit);
        const among = tenant === undefined ? tenantsOf(await connect(by, provisioning)) : [tenant];
        let [looked, failed] = [0, 0];
        for await (const one of among)
          for await (const found of everyPage(api, `/v1/tenants/${encodeURIComponent(one)}/audit/sinks`, sinks)) {
            looked += 1;
            if (found.health === 'failing') failed += 1;
            if (!failing || found.health === 'failing') console.log(described(one, found));
          }
        console.log(`${looked} sinks, ${failed} failing`);
        if (failed > 0) process.exitCode = 1;
      } catch (error) {
        complain(error);
      }
    });
  for (const option of credentialOptions({ client: 'the client of the platform' })) command.addOption(option);
  return command;
}

type Getting = { get: (path: string) => Promise<unknown> };

async function* everyPage<T>(api: Getting, path: string, page: z.ZodType<{ items: T[]; nextCursor: string | null }>) {
  let cursor: string | null = null;
  do {
    const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { items, nextCursor } = page.parse(await api.get(`${path}?limit=100${after}`));
    yield* items;
    cursor = nextCursor;
  } while (cursor !== null);
}

async function* tenantsOf(api: Getting): AsyncGenerator<string> {
  for await (const { slug } of everyPage(api, '/v1/tenants', tenants)) yield slug;
}

function described(tenant: string, one: z.infer<typeof sink>): string {
  const { id, name, target, status, health, behind, lastDeliveredAt, lastError } = one;
  const state = status === 'active' ? health : status;
  const head = `${tenant}  ${id}  ${target.kind}  ${state}  ${behind} behind  last delivered ${lastDeliveredAt ?? 'never'}`;
  const why = lastError === null ? '' : `\n    ${lastError.code} at ${lastError.at}: ${lastError.detail}`;
  return `${head}  ${name}${why}`;
}
