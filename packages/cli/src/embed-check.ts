// `reeve embed check <tenant>`: what pages that embed the assistant need, and what of it is not so.
import { Command, Option } from 'commander';
import { z } from 'zod';
import { type Credentials, complain, connect, credentialOptions } from './api.ts';

type Options = Credentials & { auth?: string; scope: string; json?: true; email?: string };

const check = z.object({
  code: z.string(),
  about: z.string(),
  holds: z.boolean().nullable(),
  why: z.string(),
  whatToDo: z.string().nullable(),
});
const answer = z.object({ works: z.boolean(), checks: z.array(check) });
type Answer = z.infer<typeof answer>;

const explained = `
Each holds (yes), does not (no), or is known to a browser alone (?). The codes are those of docs/embedded.md.

Ends with 0; with 1 where something does not hold; with 2 where it could not be read.`;

export function checkEmbedCommand(): Command {
  const command = new Command('check')
    .showHelpAfterError()
    .description('Check what pages that embed the assistant need')
    .argument('<tenant>', 'id or slug')
    .addOption(new Option('--auth <url>', 'the auth service, where it is not at the issuer').env('REEVE_AUTH_URL'))
    .option('--scope <scope>', "tenant:<id> for a tenant's own client", 'platform:admin')
    .option('--email <address>', 'of a person: are they in the roster, and tied to each sign-in')
    .option('--json', 'print the answer as it is')
    .addHelpText('after', explained)
    .action(async (tenant: string, { auth, json, email, ...given }: Options) => {
      try {
        const api = await connect({ ...given, reason: 'reeve embed check' }, auth ?? given.issuer);
        const query = email === undefined ? '' : `?${new URLSearchParams({ email })}`;
        const found = answer.parse(await api.get(`/v1/tenants/${encodeURIComponent(tenant)}/embed/check${query}`));
        console.log(json ? JSON.stringify(found, null, 2) : described(found));
        if (!found.works) process.exitCode = 1;
      } catch (error) {
        complain(error);
      }
    });
  for (const option of credentialOptions({ client: 'a client that may read connections' })) command.addOption(option);
  return command;
}

const mark = (holds: boolean | null): string => (holds === null ? '?  ' : holds ? 'yes' : 'no ');

function described({ works, checks }: Answer): string {
  const lines = checks.flatMap(({ code, about, holds, why, whatToDo }) => [
    `${mark(holds)}  ${code} (${about})`,
    `     ${why}`,
    ...(holds === false && whatToDo !== null ? [`     -> ${whatToDo}`] : []),
  ]);
  return [works ? 'nothing that can be known from here is wrong' : 'something is wrong', ...lines].join('\n');
}
