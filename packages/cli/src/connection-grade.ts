// `reeve connection grade <tenant> <connection>`: which level of IPSIE's session lifecycle an SSO connection reaches,
// and what stands in the way of the next.
import { Command, Option } from 'commander';
import { z } from 'zod';
import { type Credentials, complain, connect, credentialOptions } from './api.ts';

type Options = Credentials & { auth?: string; scope: string; json?: true; atLeast?: string };

const levels = ['none', 'SL1', 'SL2', 'SL3'];
const clause = z.object({
  id: z.string(),
  level: z.string(),
  clause: z.string(),
  who: z.string(),
  holds: z.boolean().nullable(),
  why: z.string(),
  whatToDo: z.string().nullable(),
});
const grade = z.object({ level: z.string(), clauses: z.array(clause) });
type Grade = z.infer<typeof grade>;

const explained = `
Each clause holds (yes), does not (no), or cannot be known from here (?): then the identity provider has to see to it,
and a level that is printed is reached if it does.

Ends with 0; with 1 where the level is lower than --at-least; with 2 where it could not be read.`;

export function gradeConnectionCommand(): Command {
  const command = new Command('grade')
    .showHelpAfterError()
    .description('Grade an SSO connection by the session lifecycle levels of IPSIE')
    .argument('<tenant>', 'id or slug')
    .argument('<connection>', 'id')
    .addOption(new Option('--auth <url>', 'the auth service, where it is not at the issuer').env('REEVE_AUTH_URL'))
    .option('--scope <scope>', "tenant:<id> for a tenant's own client", 'platform:admin')
    .option('--json', 'print the answer as it is')
    .addOption(new Option('--at-least <level>', 'the level that it has to reach').choices(levels.slice(1)))
    .addHelpText('after', explained)
    .action(async (tenant: string, connection: string, { auth, json, atLeast, ...given }: Options) => {
      try {
        const api = await connect({ ...given, reason: 'reeve connection grade' }, auth ?? given.issuer);
        const [ofTenant, id] = [tenant, connection].map(encodeURIComponent);
        const found = grade.parse(await api.get(`/v1/tenants/${ofTenant}/sso-connections/${id}/grade`));
        console.log(json ? JSON.stringify(found, null, 2) : described(found));
        if (atLeast !== undefined && levels.indexOf(found.level) < levels.indexOf(atLeast)) process.exitCode = 1;
      } catch (error) {
        complain(error);
      }
    });
  for (const option of credentialOptions({ client: 'a client that may read connections' })) command.addOption(option);
  return command;
}

const mark = (holds: boolean | null): string => (holds === null ? '?  ' : holds ? 'yes' : 'no ');

function described({ level, clauses }: Grade): string {
  const open = clauses.filter(({ holds }) => holds === null).length;
  const lines = clauses.flatMap(({ level: of, holds, clause: demand, who, why, whatToDo }) => [
    `${of}  ${mark(holds)}  ${demand} (${who.replace('_', ' ')})`,
    `          ${why}`,
    ...(whatToDo === null ? [] : [`          -> ${whatToDo}`]),
  ]);
  return [`level: ${level}; ${open} clauses cannot be known from here`, ...lines].join('\n');
}
