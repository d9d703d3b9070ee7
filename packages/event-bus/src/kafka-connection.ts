// How brokers are reached, by the settings of a program.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ConnectionOptions, Sasl, Tls } from './connection.ts';
import { type KafkaSettings, KafkaSettingsError } from './kafka-settings.ts';

const tokenAnswer = z.object({ access_token: z.string().min(1) });
const timeoutMs = 5_000;

/** Throws KafkaSettingsError for a file that is not what it should be: a program must not find out later. */
export function kafkaConnection(settings: KafkaSettings): Pick<ConnectionOptions, 'brokers' | 'tls' | 'sasl'> {
  const { KAFKA_SECURITY_PROTOCOL: protocol = 'PLAINTEXT' } = settings;
  return {
    brokers: settings.KAFKA_BROKERS,
    tls: protocol.endsWith('SSL') ? tlsOf(settings) : null,
    sasl: protocol.startsWith('SASL_') ? saslOf(settings) : null,
  };
}

function tlsOf(settings: KafkaSettings): Tls {
  const ca = readPem(settings, 'KAFKA_SSL_CA_FILE', pem => new X509Certificate(pem));
  const cert = readPem(settings, 'KAFKA_SSL_CERT_FILE', pem => new X509Certificate(pem));
  const key = readPem(settings, 'KAFKA_SSL_KEY_FILE', createPrivateKey);
  if (cert && key && !cert.parsed.checkPrivateKey(key.parsed))
    throw new KafkaSettingsError('KAFKA_SSL_KEY_FILE: is not the key of KAFKA_SSL_CERT_FILE');
  return { ...(ca ? { ca: ca.pem } : {}), ...(cert ? { cert: cert.pem } : {}), ...(key ? { key: key.pem } : {}) };
}

function readPem<T>(
  settings: KafkaSettings,
  name: `KAFKA_SSL_${string}` & keyof KafkaSettings,
  parse: (pem: string) => T,
) {
  const path = settings[name];
  if (path === undefined) return null;
  try {
    const pem = readFileSync(path, 'utf8');
    return { pem, parsed: parse(pem) };
  } catch (error) {
    const what = isMissing(error) ? 'there is no such file' : 'is not what it should be, in PEM';
    throw new KafkaSettingsError(`${name}: ${what}`);
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT';

function saslOf(settings: KafkaSettings): Sasl {
  const { KAFKA_SASL_USERNAME: username = '', KAFKA_SASL_PASSWORD: password = '' } = settings;
  switch (settings.KAFKA_SASL_MECHANISM) {
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password };
    case 'OAUTHBEARER':
      return { mechanism: 'oauthbearer', token: () => bearerToken(settings) };
    case 'PLAIN':
    case undefined:
      return { mechanism: 'plain', username, password };
  }
}

async function bearerToken(settings: KafkaSettings): Promise<string> {
  if (settings.KAFKA_OAUTH_TOKEN_FILE !== undefined)
    return (await readFile(settings.KAFKA_OAUTH_TOKEN_FILE, 'utf8')).trim();
  const { KAFKA_SASL_USERNAME: id = '', KAFKA_SASL_PASSWORD: secret = '', KAFKA_OAUTH_SCOPE: scope } = settings;
  const credentials = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64');
  const response = await fetch(settings.KAFKA_OAUTH_TOKEN_ENDPOINT ?? '', {
    method: 'POST',
    headers: { authorization: `Basic ${credentials}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }),
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new Error('the token endpoint for Kafka could not be reached', { cause });
  });
  if (!response.ok) throw new Error(`the token endpoint for Kafka answered ${response.status}`);
  const answer = tokenAnswer.safeParse(await response.json().catch(() => null));
  if (!answer.success) throw new Error('the token endpoint for Kafka gave no access_token');
  return answer.data.access_token;
}
