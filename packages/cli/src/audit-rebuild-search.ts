// `reeve audit rebuild-search <tenant>`: makes what the records are searched by again, portion by portion, and says
// how far it is.
import { Command } from 'commander';
import { z } from 'zod';
import { type Credentials, complain, connect, credentialOptions, required } from './api.ts';

type Options = Credentials & { audit: string; after?: string };

const position = z.object({ chain: z.string(), sequence: z.number() });
const portion = z.object({ looked: z.number(), rebuilt: z.number(), next: position.nullable() });

export function rebuildSearchCommand(): Command {
  const command = new Command('rebuild-search')
    .showHelpAfterError()
    .description(
      'Make what the records of a tenant are searched by again, after an upgrade that says so or when records are missing from search',
    )
    .argument('<tenant>', 'id or slug')
    .addOption(required('--audit <url>', 'the audit service', 'REEVE_AUDIT_URL'))
    .option('--after <chain#sequence>', 'go on where an earlier run stopped')
    .action(async (tenant: string, { audit, after, ...credentials }: Options) => {
      let next = after === undefined ? undefined : placeOf(after);
      let [looked, rebuilt] = [0, 0];
      try {
        const api = await connect({ ...credentials, reason: 'reeve audit rebuild-search' }, audit);
        do {
          const path = `/v1/tenants/${encodeURIComponent(tenant)}/audit/search:rebuild`;
          const done = portion.parse(await api.post(path, next ? { after: next } : {}));
          looked += done.looked;
          rebuilt += done.rebuilt;
          next = done.next ?? undefined;
          console.log(
            `${looked} records looked at, ${rebuilt} rebuilt${next ? `; next ${next.chain}#${next.sequence}` : ''}`,
          );
        } while (next);
      } catch (error) {
        complain(error);
        if (next) console.error(`reeve: go on with --after '${next.chain}#${next.sequence}'`);
      }
    });
  for (const option of credentialOptions({ client: 'a client with the scope platform:admin' }))
    command.addOption(option);
  return command;
}

function placeOf(text: string): z.infer<typeof position> {
  const end = text.lastIndexOf('#');
  return position.parse({ chain: text.slice(0, end), sequence: Number(text.slice(end + 1)) });
}
