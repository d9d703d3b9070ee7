// `reeve signing-keys list` and `reeve signing-keys rotate <use>`: the keys that sign the tokens of the OpenID
// provider, and what audit says of logs, in their stages.
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { type Api, type Credentials, complain, connect, credentialOptions } from './api.ts';

type Options = Credentials & { auth?: string; audit?: string; json?: true };
type RotateOptions = Options & { leadSeconds: number; compromised?: true };

const listed = z.object({
  items: z.array(
    z.object({
      keyId: z.string(),
      use: z.string(),
      algorithm: z.string(),
      stage: z.string(),
      activeFrom: z.string(),
      until: z.string().nullable(),
    }),
  ),
});

type Listed = z.infer<typeof listed>;

/** One service, and what it is asked. */
type Asked = { service: string; ask: (api: Api) => Promise<unknown> };

/** Checkpoints, exports, tombstones and viewer tokens. */
const ofAudit = 'checkpoints';

const explained = `
next       shown, so that whoever verifies tokens knows it, and does not sign yet
signing    signs
verifying  shown for what it has signed

The key of checkpoints is that of audit: it is listed, and rotates, where --audit is given.

Ends with 0; with 2 where it could not be done.`;

export function listSigningKeysCommand(): Command {
  return command('list', 'List the keys that sign tokens').action(async (given: Options) => {
    const { auth, audit, issuer } = given;
    const asked: Asked[] = [{ service: auth ?? issuer, ask: api => api.get('/v1/signing-keys') }];
    if (audit !== undefined) asked.push({ service: audit, ask: api => api.get('/v1/audit-signing-keys') });
    await asking(given, 'reeve signing-keys list', asked);
  });
}

export function rotateSigningKeyCommand(): Command {
  return command('rotate', 'Have another key sign tokens, after it has been shown for a while')
    .addArgument(new Argument('<use>', 'what it signs').choices(['access_token', 'id_token', ofAudit]))
    .option('--lead-seconds <seconds>', 'for how long it is shown before it signs', seconds, 600)
    .addOption(
      new Option('--compromised', 'it signs at once, and what those before have signed counts no more').conflicts(
        'leadSeconds',
      ),
    )
    .action(async (use: string, { leadSeconds, compromised, ...given }: RotateOptions) => {
      const { auth, audit, issuer } = given;
      const how = { leadSeconds, compromised: compromised === true };
      const isOfAudit = use === ofAudit;
      if (isOfAudit && audit === undefined)
        return complain(new Error(`--audit (REEVE_AUDIT_URL) is needed for ${ofAudit}`));
      const ask: Asked['ask'] = isOfAudit
        ? api => api.post('/v1/audit-signing-keys:rotate', how)
        : api => api.post('/v1/signing-keys:rotate', { use, ...how });
      const service = (isOfAudit ? audit : auth) ?? issuer;
      await asking(given, 'reeve signing-keys rotate', [{ service, ask }]);
    });
}

function command(name: string, description: string): Command {
  const made = new Command(name)
    .showHelpAfterError()
    .description(description)
    .addOption(new Option('--auth <url>', 'the auth service, where it is not at the issuer').env('REEVE_AUTH_URL'))
    .addOption(
      new Option('--audit <url>', 'the audit service, which has the key of checkpoints').env('REEVE_AUDIT_URL'),
    )
    .option('--json', 'print the answer as it is')
    .addHelpText('after', explained);
  for (const option of credentialOptions({ client: 'the client of the platform' })) made.addOption(option);
  return made;
}

function seconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

async function asking({ json, issuer, clientId, clientSecret }: Options, reason: string, asked: readonly Asked[]) {
  try {
    const items: Listed['items'] = [];
    for (const { service, ask } of asked) {
      const api = await connect({ issuer, clientId, clientSecret, reason }, service);
      items.push(...listed.parse(await ask(api)).items);
    }
    console.log(json ? JSON.stringify({ items }, null, 2) : items.map(described).join('\n'));
  } catch (error) {
    complain(error);
  }
}

function described({ keyId, use, algorithm, stage, activeFrom, until }: Listed['items'][number]) {
  const when = stage === 'next' ? `  signs from ${activeFrom}` : until === null ? '' : `  shown until ${until}`;
  return `${use.padEnd(12)}  ${algorithm}  ${stage.padEnd(9)}  ${keyId}${when}`;
}
