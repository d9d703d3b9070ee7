// A service's environment as a zod schema. All problems are reported at once, by the variable's name, and the service does not
// start; no secret, issuer or audience has a default.
import { z } from 'zod';

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
  MONGODB_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\//, 'must be a mongodb:// URI')
    .describe('Connection string'),
  MONGODB_DATABASE: z.string().min(1).max(60).describe('Database of this service alone'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('pino level'),
  REEVE_TRUST_PROXY: z.coerce
    .number()
    .int()
    .min(0)
    .default(0)
    .describe('How many proxies in front add X-Forwarded-For'),
  REEVE_RATE_LIMITS: z.enum(['on', 'off']).default('on').describe('off lifts rate limits, for load tests only'),
  REEVE_ALLOWED_PRIVATE_ORIGINS: commaSeparated
    .default([])
    .describe('Exact origins that the SSRF guard lets through, for tests only'),
});

export type BaseConfig = z.infer<typeof baseConfig>;

/** Throws ConfigError naming every variable that is missing or wrong. Values are never shown. */
export function loadConfig<S extends z.ZodType<BaseConfig>>(schema: S, environment: NodeJS.ProcessEnv): z.infer<S> {
  const parsed = schema.safeParse(Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== '')));
  if (!parsed.success) {
    throw new ConfigError(parsed.error.issues.map(issue => `${issue.path.join('.')}: ${issue.message}`));
  }
  const config = parsed.data;
  if (config.NODE_ENV === 'production') {
    const refused = [
      ...(config.REEVE_RATE_LIMITS === 'off'
        ? ['REEVE_RATE_LIMITS: off is for tests, not for NODE_ENV=production']
        : []),
      ...(config.REEVE_ALLOWED_PRIVATE_ORIGINS.length > 0
        ? ['REEVE_ALLOWED_PRIVATE_ORIGINS: is for tests, not for NODE_ENV=production']
        : []),
    ];
    if (refused.length > 0) throw new ConfigError(refused);
  }
  return config;
}
