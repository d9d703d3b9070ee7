// `reeve doctor`: is this installation sound, from outside it and from inside each service, and what to do where it is
// not.
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { z } from 'zod';
import { complain, connect, reasonOf } from '../api.ts';
import { checkConsistency } from './consistency.ts';
import { judgeEgress } from './egress.ts';
import { type Finding, type Installation, services } from './finding.ts';
import { type Check, checkOutside, type Status } from './outside.ts';

type Options = {
  issuer?: string;
  clientId?: string;
  clientSecret?: string;
  credentials?: string;
  reach?: string;
  consistency?: true;
  tenant?: string[];
  json?: true;
} & Partial<Record<'auth' | 'provisioning' | 'connectorConsent' | 'webhookIngress' | 'audit', string>>;

const diagnostics = z.object({
  checks: z.array(
    z.object({
      code: z.string(),
      status: z.enum(['ok', 'warning', 'failed']),
      detail: z.string(),
      advice: z.string().nullable(),
    }),
  ),
});
/** What `npm start` writes. */
const localFile = z.object({
  issuer: z.string(),
  clientId: z.string(),
  clientSecret: z.string(),
  urls: z.record(z.string(), z.string()),
});

const explained = `
From outside: the name, the certificate, health and clock of each service. From inside, what the instance that answers
sees of MongoDB, Kafka and the issuer. Nothing is changed. docs/doctor.md lists the codes.

After a restore from a backup, --consistency names what each service had done since the backup, which is not in its
store, and verifies the audit log of every tenant: that takes as long as reading all of it.

Ends with 0, also with warnings; with 1 where something has failed; with 2 where it could not look.`;

export function doctorCommand(): Command {
  const command = new Command('doctor')
    .showHelpAfterError()
    .description('Check an installation, and say what to do')
    .addOption(new Option('--issuer <url>', 'the issuer').env('REEVE_ISSUER'))
    .addOption(new Option('--client-id <id>', 'a client with the scope platform:admin').env('REEVE_CLIENT_ID'))
    .addOption(new Option('--client-secret <secret>', 'better by the environment').env('REEVE_CLIENT_SECRET'))
    .option('--credentials <file>', 'what npm start has written, in place of all of these')
    .option('--reach <url>', 'also see whether the services that reach places which tenants name get there')
    .option('--consistency', 'also what a restore has lost, and whether the audit log of each tenant verifies')
    .option('--tenant <id or slug...>', 'with --consistency: the log of these tenants alone')
    .option('--json', 'print what was found as JSON')
    .addHelpText('after', explained);
  for (const service of services) {
    const variable = `REEVE_${service.toUpperCase().replace('-', '_')}_URL`;
    const where = service === 'auth' ? 'where it is not at the issuer' : 'as its audience names it';
    command.addOption(new Option(`--${service} <url>`, where).env(variable));
  }
  return command.action(async (options: Options) => {
    try {
      const installation = installationOf(options);
      const findings = judgeEgress(
        (await Promise.all(installation.urls.map(one => examine(installation, one)))).flat(),
      );
      if (options.consistency) findings.push(...(await checkConsistency(installation, { tenants: options.tenant })));
      console.log(options.json ? JSON.stringify({ findings }, null, 2) : described(findings));
      if (findings.some(({ status }) => status === 'failed')) process.exitCode = 1;
    } catch (error) {
      complain(error);
    }
  });
}

function installationOf(options: Options): Installation {
  const file = options.credentials === undefined ? null : readCredentials(options.credentials);
  const missing = (flag: string, variable: string) => new Error(`${flag} (${variable}) or --credentials is needed`);
  const issuer = options.issuer ?? file?.issuer;
  const clientId = options.clientId ?? file?.clientId;
  const clientSecret = options.clientSecret ?? file?.clientSecret;
  if (issuer === undefined) throw missing('--issuer', 'REEVE_ISSUER');
  if (clientId === undefined) throw missing('--client-id', 'REEVE_CLIENT_ID');
  if (clientSecret === undefined) throw missing('--client-secret', 'REEVE_CLIENT_SECRET');
  if (options.tenant && !options.consistency) throw new Error('--tenant is for --consistency');
  const { reach } = options;
  if (reach !== undefined && !/^https?:$/.test(URL.parse(reach)?.protocol ?? ''))
    throw new Error(`--reach: ${reach} is no http or https URL`);
  const urls = services.map(service => {
    const key = service.replace(/-./, letters => letters.slice(1).toUpperCase()) as keyof Options & string;
    const given = (options[key] as string | undefined) ?? file?.urls[key];
    return { service, url: given ?? (service === 'auth' ? issuer : undefined) };
  });
  return { issuer, clientId, clientSecret, reach, urls };
}

/** Without a word of what is in it: it may be a secret. */
function jsonIn(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${path} is no JSON`);
  }
}

function readCredentials(path: string): z.infer<typeof localFile> {
  const parsed = localFile.safeParse(jsonIn(readFileSync(path, 'utf8'), path));
  if (parsed.success) return parsed.data;
  const fields = parsed.error.issues.map(issue => issue.path.join('.')).join(', ');
  throw new Error(`${path} is not what npm start writes: ${fields}`);
}

async function examine(to: Installation, { service, url }: Installation['urls'][number]): Promise<Finding[]> {
  if (url === undefined) {
    const advice = `Give --${service} <url>.`;
    return [{ service, from: 'outside', code: 'url', status: 'warning', detail: 'not looked at', advice }];
  }
  if (!URL.canParse(url)) throw new Error(`--${service}: ${url} is no URL`);
  const outside = await checkOutside(new URL(url));
  const isThere = !outside.some(({ code, status }) => status === 'failed' && code !== 'ready' && code !== 'clock');
  const inside = isThere ? await checkInside(to, url) : [];
  return [
    ...outside.map(check => ({ service, from: 'outside' as const, ...check })),
    ...inside.map(check => ({ service, from: 'inside' as const, ...check })),
  ];
}

async function checkInside({ issuer, clientId, clientSecret, reach }: Installation, url: string): Promise<Check[]> {
  try {
    const query = reach === undefined ? '' : `?${new URLSearchParams({ reach })}`;
    const api = await connect({ issuer, clientId, clientSecret, reason: 'reeve doctor' }, url);
    return diagnostics.parse(await api.get(`/v1/diagnostics${query}`)).checks;
  } catch (error) {
    const detail = `it was not told: ${reasonOf(error)}`;
    const advice = 'See the client and its secret, that its URL is written as its audience, and that auth answers.';
    return [{ code: 'diagnostics', status: 'failed', detail, advice }];
  }
}

const marks: Record<Status, string> = { ok: 'ok  ', warning: 'warn', failed: 'FAIL' };

function described(findings: readonly Finding[]): string {
  const count = (status: Status) => findings.filter(one => one.status === status).length;
  const lines = findings.flatMap(({ service, from, code, status, detail, advice }) => [
    `${marks[status]}  ${service.padEnd(17)}  ${from.padEnd(7)}  ${code.padEnd(24)}  ${detail}`,
    ...(advice === null ? [] : [`      -> ${advice}`]),
  ]);
  return [...lines, `${count('ok')} well, ${count('warning')} warnings, ${count('failed')} failed`].join('\n');
}
