// A service's environment as a zod schema. All problems are reported at once, by the variable's name, and the service
// does not start; no secret, issuer or audience has a default.
import { kafkaSettings, wrongAboutKafka } from '@reeve/event-bus/settings';
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
  ...kafkaSettings,
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
