// The environment. Names every variable that is missing or wrong, never a value.
import { readFileSync } from 'node:fs';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

const near = ['loopback', 'private', 'uniqueLocal', 'linkLocal'];
const isNear = (address: string) => ipaddr.isValid(address) && near.includes(ipaddr.process(address).range());
const loopbackNames = ['localhost', '127.0.0.1', '[::1]'];

const credentials = ['REEVE_CLIENT_SECRET', 'REEVE_CLIENT_SECRET_FILE', 'REEVE_CLIENT_KEY_FILE'] as const;

const schema = z
  .object({
    REEVE_ISSUER: z
      .url({ protocol: /^https?$/ })
      .refine(isSafe, 'must be https, unless it is on this machine')
      .describe('URL of the auth service, as it appears in tokens'),
    REEVE_CLIENT_ID: z.string().min(1).describe('The application that is the bot'),
    REEVE_CLIENT_SECRET: z.string().min(1).optional().describe('Its secret'),
    REEVE_CLIENT_SECRET_FILE: z.string().min(1).optional().describe('A file with the secret, read for each token'),
    REEVE_CLIENT_KEY_FILE: z
      .string()
      .min(1)
      .optional()
      .describe('A file with its private key as a JWK, read for each token, where it proves itself by one'),
    REEVE_TENANT: z
      .string()
      .min(1)
      .optional()
      .describe('Id or slug of the tenant that it acts in, where the application is the platform’s'),
    REEVE_IDENTITY_HEADER: z
      .string()
      .min(16, 'must be 16 characters or more')
      .optional()
      .describe('What bots send as X-IDENTITY-HEADER where they ask as of a managed identity; they may not without'),
    HOST: z
      .string()
      .default('127.0.0.1')
      .refine(isNear, 'must be a loopback or private address')
      .describe('Address to listen on'),
    PORT: z.coerce.number().int().min(0).max(65_535).default(5_178).describe('TCP port to listen on'),
    LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  })
  .refine(given => credentials.filter(name => given[name] !== undefined).length === 1, {
    path: ['REEVE_CLIENT_SECRET'],
    message: 'either it, REEVE_CLIENT_SECRET_FILE or REEVE_CLIENT_KEY_FILE has to be there',
  });

export type Config = {
  issuer: URL;
  clientId: string;
  /** Read anew for each token, so that a rotated one is taken up. */
  readSecret(): string;
  /** With the private key by which it proves itself in place of the secret; read anew for each token as well. */
  keyFile: string | null;
  tenant: string | null;
  identityHeader: string | null;
  host: string;
  port: number;
  logLevel: string;
};

export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(`the environment is not complete:\n${problems.map(problem => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Throws ConfigError. An empty variable is a missing one. */
export function readConfig(environment: NodeJS.ProcessEnv): Config {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(given);
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`));
  const { data } = parsed;
  const { REEVE_CLIENT_SECRET: secret = '', REEVE_CLIENT_SECRET_FILE: file } = data;
  return {
    issuer: new URL(data.REEVE_ISSUER),
    clientId: data.REEVE_CLIENT_ID,
    readSecret: () => (file === undefined ? secret : readFileSync(file, 'utf8').trim()),
    keyFile: data.REEVE_CLIENT_KEY_FILE ?? null,
    tenant: data.REEVE_TENANT ?? null,
    identityHeader: data.REEVE_IDENTITY_HEADER ?? null,
    host: data.HOST,
    port: data.PORT,
    logLevel: data.LOG_LEVEL,
  };
}

export const isLoopback = ({ hostname }: URL): boolean => loopbackNames.includes(hostname);

/** The names under which it may be called: without the port. */
export const ownNames = (host: string): string[] => [...loopbackNames, host.includes(':') ? `[${host}]` : host];

function isSafe(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || isLoopback(url));
}
