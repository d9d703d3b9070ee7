// A service's environment as a zod schema. All problems are reported at once, by the variable's name, and the service
// does not start; no secret, issuer or audience has a default.
import { z } from 'zod';
import { allowedNetworksSchema } from './allowed-networks.ts';

export class ConfigError extends Error {
  constructor(problems: string[]) {
    super(`the environment is not complete:\n${problems.map(problem => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** A variable that holds several values, separated by commas. */
export const commaSeparated = z.string().transform(text =>
  text
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== ''),
);

/** What every service needs. A service extends it with its own variables. */
export const baseConfig = z.object({
  NODE_ENV: z
    .enum(['production', 'development', 'test'])
    .default('production')
    .describe('production refuses test switches'),
  PORT: z.coerce.number().int().min(0).max(65_535).describe('TCP port to listen on'),
  REEVE_SELF_URL: z.url().describe('Public URL of this service; the audience of its access tokens'),
  REEVE_ISSUER: z.url().describe('URL of the auth service, as it appears in tokens'),
  REEVE_ISSUER_ADDRESS: z
    .url()
    .optional()
    .describe('Where to reach the issuer inside the network, when not at REEVE_ISSUER'),
  KAFKA_BROKERS: commaSeparated
    .refine(brokers => brokers.length > 0, 'at least one host:port')
    .describe('host:port, comma-separated'),
  KAFKA_SECURITY_PROTOCOL: z
    .enum(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'])
    .optional()
    .describe('How brokers are spoken to. Has to be said in production; PLAINTEXT elsewhere'),
  KAFKA_SSL_CA_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('PEM of the authorities that sign brokers, if not public ones'),
  KAFKA_SSL_CERT_FILE: z.string().min(1).optional().describe('PEM of our certificate, where brokers want one'),
  KAFKA_SSL_KEY_FILE: z.string().min(1).optional().describe('PEM of its key'),
  KAFKA_SASL_MECHANISM: z
    .enum(['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'])
    .optional()
    .describe('With a SASL_ protocol'),
  KAFKA_SASL_USERNAME: z.string().min(1).optional().describe('For PLAIN and SCRAM; for OAUTHBEARER the client id'),
  KAFKA_SASL_PASSWORD: z.string().min(1).optional().describe('For PLAIN and SCRAM; for OAUTHBEARER the client secret'),
  KAFKA_OAUTH_TOKEN_ENDPOINT: z
    .url()
    .optional()
    .describe('For OAUTHBEARER: where tokens are got by client_credentials'),
  KAFKA_OAUTH_SCOPE: z.string().min(1).optional().describe('For OAUTHBEARER: the scope to ask for'),
  KAFKA_OAUTH_TOKEN_FILE: z
    .string()
    .min(1)
    .optional()
    .describe(
      'For OAUTHBEARER instead of an endpoint: a file with a token that somebody keeps fresh, as Kubernetes does',
    ),
  KAFKA_GROUP_PREFIX: z
    .string()
    .max(60)
    .default('')
    .describe('Put before the names of consumer groups, where several installations share a cluster'),
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must be a mongodb:// URI')
    .describe('Connection string'),
  MONGODB_DATABASE: z.string().min(1).max(60).describe('Database of this service alone'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('pino level'),
  METRICS_PORT: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(9_464)
    .describe('TCP port of /metrics, for Prometheus; 0 serves none'),
  REEVE_START_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .default(60)
    .describe('How long a start waits for MongoDB and Kafka before it is given up'),
  REEVE_RESTORED_TO: z.iso
    .datetime()
    .transform(text => new Date(text))
    .refine(time => time.getTime() <= Date.now(), 'lies in the future')
    .optional()
    .describe(
      'After a restore: when its backup was begun, as 2026-11-28T10:00:00Z. What Kafka has since is read again',
    ),
  REEVE_REVOCATION_SILENCE_SECONDS: z.coerce
    .number()
    .int()
    .min(1)
    .default(60)
    .describe(
      'How long Kafka may be out of reach before callers are refused, since nobody knows which tokens were revoked',
    ),
  REEVE_TRUST_PROXY: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('How many proxies in front add X-Forwarded-For'),
  REEVE_RATE_LIMITS: z.enum(['on', 'off']).default('on').describe('off lifts rate limits, for load tests only'),
  REEVE_PRODUCT_NAME: z
    .string()
    .trim()
    .max(60)
    .default('')
    .describe('What people call the product, on pages; Reeve where neither it nor a tenant has a name'),
  REEVE_ALLOWED_PRIVATE_ORIGINS: commaSeparated
    .default([])
    .describe('Exact origins that the SSRF guard lets through, for tests only'),
  REEVE_ALLOWED_NETWORKS: allowedNetworksSchema.describe(
    'Subnets and hosts inside that what tenants name may be in, for a purpose or for all: see below',
  ),
});

export type BaseConfig = z.infer<typeof baseConfig>;

/**
 * Throws ConfigError naming every variable that is missing or wrong. Values are never shown, but for networks that are
 * to be open.
 */
export function loadConfig<S extends z.ZodType<BaseConfig>>(schema: S, environment: NodeJS.ProcessEnv): z.infer<S> {
  const parsed = schema.safeParse(Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')));
  if (!parsed.success)
    throw new ConfigError(parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`));
  const problems = [...refusedInProduction(parsed.data), ...wrongAboutKafka(parsed.data)];
  if (problems.length > 0) throw new ConfigError(problems);
  return parsed.data;
}

/** Where the store is, without user and password. */
export function storeHosts({ MONGODB_URI: uri }: Pick<BaseConfig, 'MONGODB_URI'>): string {
  const afterLogin = uri.slice(uri.lastIndexOf('@') + 1).replace(/^mongodb(\+srv)?:\/\//, '');
  return afterLogin.replace(/[/?].*$/, '');
}

function refusedInProduction(config: BaseConfig): string[] {
  if (config.NODE_ENV !== 'production') return [];
  return [
    ...(config.REEVE_RATE_LIMITS === 'off' ? ['REEVE_RATE_LIMITS: off is for tests, not for NODE_ENV=production'] : []),
    ...(config.REEVE_ALLOWED_PRIVATE_ORIGINS.length > 0
      ? ['REEVE_ALLOWED_PRIVATE_ORIGINS: is for tests, not for NODE_ENV=production']
      : []),
    ...(config.KAFKA_SECURITY_PROTOCOL === undefined
      ? ['KAFKA_SECURITY_PROTOCOL: has to be said with NODE_ENV=production']
      : []),
  ];
}

const tlsFiles = ['KAFKA_SSL_CA_FILE', 'KAFKA_SSL_CERT_FILE', 'KAFKA_SSL_KEY_FILE'] as const;
const logins = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const;
const endpoint = ['KAFKA_OAUTH_TOKEN_ENDPOINT', 'KAFKA_OAUTH_SCOPE'] as const;
const bearer = [...endpoint, 'KAFKA_OAUTH_TOKEN_FILE'] as const;

/**
 * Variables that only make sense together: one that is missing, and one that would be ignored, as if there were no TLS.
 */
function wrongAboutKafka(config: BaseConfig): string[] {
  type Names = readonly (keyof BaseConfig)[];
  const { KAFKA_SECURITY_PROTOCOL: protocol = 'PLAINTEXT', KAFKA_SASL_MECHANISM: mechanism } = config;
  const needs = (names: Names, why: string) =>
    names.filter(name => config[name] === undefined).map(name => `${name}: is required with ${why}`);
  const ignored = (names: Names, what: string) =>
    names.filter(name => config[name] !== undefined).map(name => `${name}: is for ${what}`);

  function wrongAboutTls() {
    if (!protocol.endsWith('SSL')) return ignored(tlsFiles, 'SSL or SASL_SSL');
    const { KAFKA_SSL_CERT_FILE: cert, KAFKA_SSL_KEY_FILE: key } = config;
    if (cert === undefined && key === undefined) return [];
    return [
      ...needs(['KAFKA_SSL_CERT_FILE'], 'KAFKA_SSL_KEY_FILE'),
      ...needs(['KAFKA_SSL_KEY_FILE'], 'KAFKA_SSL_CERT_FILE'),
    ];
  }

  function wrongAboutSasl() {
    if (!protocol.startsWith('SASL_'))
      return ignored(['KAFKA_SASL_MECHANISM', ...logins, ...bearer], 'SASL_SSL or SASL_PLAINTEXT');
    if (mechanism === undefined) return needs(['KAFKA_SASL_MECHANISM'], protocol);
    if (mechanism !== 'OAUTHBEARER') return [...needs(logins, mechanism), ...ignored(bearer, 'OAUTHBEARER')];
    if (config.KAFKA_OAUTH_TOKEN_FILE !== undefined)
      return ignored([...logins, ...endpoint], 'OAUTHBEARER without KAFKA_OAUTH_TOKEN_FILE');
    return [
      ...needs(logins, mechanism),
      ...needs(['KAFKA_OAUTH_TOKEN_ENDPOINT'], 'OAUTHBEARER, or KAFKA_OAUTH_TOKEN_FILE'),
    ];
  }

  return [...wrongAboutTls(), ...wrongAboutSasl()];
}
