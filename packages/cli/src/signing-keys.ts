// `reeve signing-keys list` and `reeve signing-keys rotate <use>`: the keys that sign the tokens of the OpenID
// provider, in their stages.
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { z } from 'zod';
import { type Api, type Credentials, complain, connect, credentialOptions } from './api.ts';

type Options = Credentials & { auth?: string; json?: true };
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

const explained = `
next       shown, so that whoever verifies tokens knows it, and does not sign yet
signing    signs
verifying  shown for what it has signed

Ends with 0; with 2 where it could not be done.`;

export function listSigningKeysCommand(): Command {
  return command('list', 'List the keys that sign tokens').action(async (given: Options) => {
    await asking(given, 'reeve signing-keys list', api => api.get('/v1/signing-keys'));
  });
}

export function rotateSigningKeyCommand(): Command {
  return command('rotate', 'Have another key sign tokens, after it has been shown for a while')
    .addArgument(new Argument('<use>', 'what it signs').choices(['access_token', 'id_token']))
    .option('--lead-seconds <seconds>', 'for how long it is shown before it signs', seconds, 600)
    .addOption(
      new Option('--compromised', 'it signs at once, and what those before have signed counts no more').conflicts(
        'leadSeconds',
      ),
    )
    .action(async (use: string, { leadSeconds, compromised, ...given }: RotateOptions) => {
      const body = { use, leadSeconds, compromised: compromised === true };
      await asking(given, 'reeve signing-keys rotate', api => api.post('/v1/signing-keys:rotate', body));
    });
}

function command(name: string, description: string): Command {
  const made = new Command(name)
    .showHelpAfterError()
    .description(description)
    .addOption(new Option('--auth <url>', 'the auth service, where it is not at the issuer').env('REEVE_AUTH_URL'))
    .option('--json', 'print the answer as it is')
    .addHelpText('after', explained);
  for (const option of credentialOptions({ client: 'the client of the platform' })) made.addOption(option);
  return made;
}

function seconds(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It has to be a whole number.');
  return Number(text);
}

async function asking({ auth, json, ...given }: Options, reason: string, ask: (api: Api) => Promise<unknown>) {
  try {
    const api = await connect({ ...given, reason }, auth ?? given.issuer);
    const { items } = listed.parse(await ask(api));
    console.log(json ? JSON.stringify({ items }, null, 2) : items.map(described).join('\n'));
  } catch (error) {
    complain(error);
  }
}

function described({ keyId, use, algorithm, stage, activeFrom, until }: z.infer<typeof listed>['items'][number]) {
  const when = stage === 'next' ? `  signs from ${activeFrom}` : until === null ? '' : `  shown until ${until}`;
  return `${use.padEnd(12)}  ${algorithm}  ${stage.padEnd(9)}  ${keyId}${when}`;
}
