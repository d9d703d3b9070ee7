// Calls Reeve's API as a client of its own (client_credentials), for commands that work on a running system.
import { Option } from 'commander';
import { allowInsecureRequests, clientCredentialsGrant, discovery, ResponseBodyError } from 'openid-client';

export type Credentials = { issuer: string; clientId: string; clientSecret: string };
export type ApiOptions = Credentials & {
  reason: string;
  /** Of a tenant's own client it is `tenant:<id or slug>`. */
  scope?: string;
};

/** Says what went wrong; the command ends with 2. */
export function complain(error: unknown, about?: string): void {
  console.error(`reeve: ${about === undefined ? '' : `${about}: `}${reasonOf(error)}`);
  process.exitCode = 2;
}

/** What the issuer refuses has a code of RFC 6749, which its message does not have. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!(error instanceof ResponseBodyError)) return error.message;
  return `the issuer answered ${error.error}${error.error_description ? `: ${error.error_description}` : ''}`;
}

/** Every command that asks a service takes the same ones. */
export const credentialOptions = ({ client }: { client: string }): Option[] => [
  required('--issuer <url>', 'the auth service', 'REEVE_ISSUER'),
  required('--client-id <id>', client, 'REEVE_CLIENT_ID'),
  required('--client-secret <secret>', 'better by the environment', 'REEVE_CLIENT_SECRET'),
];

export const required = (flags: string, description: string, variable: string) =>
  new Option(flags, description).env(variable).makeOptionMandatory();

const renewBeforeMs = 30_000;

/** For the named service alone: an access token is for one audience. */
export async function connect(
  { issuer, clientId, clientSecret, reason, scope = 'platform:admin' }: ApiOptions,
  service: string,
) {
  const url = new URL(issuer);
  // Without TLS only on this machine, as in development.
  const execute = url.hostname === 'localhost' || url.hostname === '127.0.0.1' ? [allowInsecureRequests] : [];
  const configuration = await discovery(url, clientId, clientSecret, undefined, { execute });
  let token = { value: '', until: 0 };

  async function send(method: string, path: string, body?: unknown): Promise<unknown> {
    const target = new URL(path, service);
    // A path that begins with two slashes names a host, which would get the token.
    if (target.origin !== new URL(service).origin) throw new Error(`${path} leads to another host than ${service}`);
    if (token.until < Date.now()) {
      const granted = await clientCredentialsGrant(configuration, { scope, resource: service });
      const until = Date.now() + (granted.expires_in ?? 0) * 1_000 - renewBeforeMs;
      token = { value: granted.access_token, until };
    }
    const response = await fetch(target, {
      method,
      headers: {
        authorization: `Bearer ${token.value}`,
        'content-type': 'application/json',
        'reeve-reason': reason,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await read(response);
    if (response.ok) return answer;
    const { code = '', detail = '' } = (answer ?? {}) as { code?: string; detail?: string };
    throw new Error(`${response.status} ${code}: ${detail}`);
  }

  return {
    /** The answer as JSON, as text where it is none, null without one. Throws with code and detail but for a 2xx. */
    send,
    get: (path: string): Promise<unknown> => send('GET', path),
    post: (path: string, body: unknown): Promise<unknown> => send('POST', path, body),
  };
}

export type Api = Awaited<ReturnType<typeof connect>>;

async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  const isJson = /^application\/([\w.-]+\+)?json\b/.test(response.headers.get('content-type') ?? '');
  return text === '' ? null : isJson ? JSON.parse(text) : text;
}
