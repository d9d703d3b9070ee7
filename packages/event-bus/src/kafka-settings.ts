// The variables by which a program is told how brokers are reached. https://kafka.apache.org/documentation/#security
import { z } from 'zod';

/** For a service's schema; `wrongAboutKafka` is to check the whole. */
export const kafkaSettings = {
  KAFKA_BROKERS: z
    .string()
    .transform(text =>
      text
        .split(',')
        .map(part => part.trim())
        .filter(part => part !== ''),
    )
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
};

const schema = z.object(kafkaSettings);
export type KafkaSettings = z.infer<typeof schema>;

/** Names the setting. */
export class KafkaSettingsError extends Error {
  override name = 'KafkaSettingsError';
}

/**
 * Of a program that has no schema of its own. A variable that is empty is one that is not there. Throws
 * KafkaSettingsError.
 */
export function readKafkaSettings(environment: Record<string, string | undefined>): KafkaSettings {
  const said = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = schema.safeParse(said);
  const problems = parsed.success
    ? wrongAboutKafka(parsed.data)
    : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  if (!parsed.success || problems.length > 0) throw new KafkaSettingsError(problems.join('\n'));
  return parsed.data;
}

const tlsFiles = ['KAFKA_SSL_CA_FILE', 'KAFKA_SSL_CERT_FILE', 'KAFKA_SSL_KEY_FILE'] as const;
const logins = ['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const;
const endpoint = ['KAFKA_OAUTH_TOKEN_ENDPOINT', 'KAFKA_OAUTH_SCOPE'] as const;
const bearer = [...endpoint, 'KAFKA_OAUTH_TOKEN_FILE'] as const;

/**
 * Variables that only make sense together: one that is missing, and one that would be ignored, as if there were no TLS.
 */
export function wrongAboutKafka(settings: KafkaSettings): string[] {
  type Names = readonly (keyof KafkaSettings)[];
  const { KAFKA_SECURITY_PROTOCOL: protocol = 'PLAINTEXT', KAFKA_SASL_MECHANISM: mechanism } = settings;
  const needs = (names: Names, why: string) =>
    names.filter(name => settings[name] === undefined).map(name => `${name}: is required with ${why}`);
  const ignored = (names: Names, what: string) =>
    names.filter(name => settings[name] !== undefined).map(name => `${name}: is for ${what}`);

  function wrongAboutTls() {
    if (!protocol.endsWith('SSL')) return ignored(tlsFiles, 'SSL or SASL_SSL');
    const { KAFKA_SSL_CERT_FILE: cert, KAFKA_SSL_KEY_FILE: key } = settings;
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
    if (settings.KAFKA_OAUTH_TOKEN_FILE !== undefined)
      return ignored([...logins, ...endpoint], 'OAUTHBEARER without KAFKA_OAUTH_TOKEN_FILE');
    return [
      ...needs(logins, mechanism),
      ...needs(['KAFKA_OAUTH_TOKEN_ENDPOINT'], 'OAUTHBEARER, or KAFKA_OAUTH_TOKEN_FILE'),
    ];
  }

  return [...wrongAboutTls(), ...wrongAboutSasl()];
}
