// `reeve sessions end <tenant>`: ends the live sessions of a person, of an application, or of everybody, with their
// tokens, one after the other.
import { Command, Option } from 'commander';
import { z } from 'zod';
import { type Api, type Credentials, complain, connect, credentialOptions } from './api.ts';

type Which = { user?: string; client?: string; all?: true };
type Options = Credentials & Which & { auth?: string; scope: string; reason: string };

const session = z.object({
  id: z.string(),
  applications: z.array(z.string()),
  delegate: z.object({ clientId: z.string() }).nullable(),
});
const page = z.object({ items: z.array(session), nextCursor: z.string().nullable() });
const ended = z.object({ ended: z.number() });

const explained = `
Refresh tokens end in the same write, access tokens within a second wherever revocations are followed. What an
application got for itself (client_credentials) is of no session: give it a new secret.
Where it stops, the same command goes on: what has ended is not looked at again.

Ends with 0; with 2 where it could not be done.`;

export function endSessionsCommand(): Command {
  const command = new Command('end')
    .showHelpAfterError()
    .description('End live sessions of a tenant, with their tokens')
    .argument('<tenant>', 'id or slug')
    .addOption(new Option('--user <id>', 'those of this person').conflicts(['client', 'all']))
    .addOption(new Option('--client <id>', 'those in which this application was used').conflicts(['user', 'all']))
    .addOption(new Option('--all', 'those of everybody').conflicts(['user', 'client']))
    .addOption(new Option('--auth <url>', 'the auth service, where it is not at the issuer').env('REEVE_AUTH_URL'))
    .option('--scope <scope>', "tenant:<id> for a tenant's own client", 'platform:admin')
    .addOption(new Option('--reason <text>', 'for the audit log').env('REEVE_REASON').default('reeve sessions end'))
    .addHelpText('after', explained)
    .action(async (tenant: string, { auth, user, client, all, ...given }: Options, self: Command) => {
      if (user === undefined && client === undefined && !all) self.error('say --user, --client or --all');
      try {
        const api = await connect(given, auth ?? given.issuer);
        const base = `/v1/tenants/${encodeURIComponent(tenant)}`;
        if (user !== undefined) {
          const answer = await api.post(`${base}/users/${encodeURIComponent(user)}/sessions:terminate`, undefined);
          console.log(`${ended.parse(answer).ended} sessions ended`);
        } else await endEach(api, `${base}/sessions`, client);
      } catch (error) {
        complain(error);
      }
    });
  for (const option of credentialOptions({ client: 'a client that may end sessions' })) command.addOption(option);
  return command;
}

async function endEach(api: Api, sessions: string, client: string | undefined): Promise<void> {
  let cursor: string | null = null;
  let [looked, done] = [0, 0];
  do {
    const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { items, nextCursor } = page.parse(await api.get(`${sessions}?status=live&limit=100${after}`));
    for (const { id, applications, delegate } of items) {
      looked += 1;
      if (client !== undefined && !applications.includes(client) && delegate?.clientId !== client) continue;
      await api.post(`${sessions}/${id}:terminate`, undefined);
      done += 1;
    }
    cursor = nextCursor;
    console.log(`${looked} live sessions looked at, ${done} ended`);
  } while (cursor !== null);
}
