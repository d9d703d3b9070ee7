// `reeve api <method> <url> [body]`: one request to a service of Reeve, with a token for it.
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { type Credentials, complain, connect, credentialOptions } from './api.ts';

type Options = Credentials & { scope: string; reason: string };

const explained = `
What may be asked is in /openapi.json of each service. The token is got by client_credentials, for the origin of <url>.

Ends with 0 for a 2xx, whose body it prints; with 2 where the service refused, or could not be reached.`;

export function callApiCommand(): Command {
  const command = new Command('api')
    .showHelpAfterError()
    .description('Send one request to a service, with a token for it')
    .addArgument(new Argument('<method>', 'any of').choices(['get', 'post', 'put', 'patch', 'delete']))
    .argument('<url>', 'of the service, with the path', address)
    .argument('[body]', 'JSON', json)
    .option('--scope <scope>', "tenant:<id> for a tenant's own client", 'platform:admin')
    .addOption(new Option('--reason <text>', 'for the audit log').env('REEVE_REASON').default('reeve api'))
    .addHelpText('after', explained)
    .action(async (method: string, url: URL, body: unknown, given: Options) => {
      try {
        const api = await connect(given, url.origin);
        const answer = await api.send(method.toUpperCase(), `${url.pathname}${url.search}`, body);
        if (answer !== null) console.log(typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2));
      } catch (error) {
        complain(error);
      }
    });
  for (const option of credentialOptions({ client: 'a client that may do it' })) command.addOption(option);
  return command;
}

function address(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new InvalidArgumentError('It has to be an http or https URL: is a variable in it empty?');
  return url;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('It is no JSON.');
  }
}
