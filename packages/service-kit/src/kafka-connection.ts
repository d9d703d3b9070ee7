// How this service reaches Kafka, by its environment.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions, Sasl, Tls } from '@reeve/event-bus';
import { z } from 'zod';
import { type BaseConfig, ConfigError } from './config.ts';

const tokenAnswer = z.object({ access_token: z.string().min(1) });
const timeoutMs = 5_000;

/** Throws ConfigError for a file that is not what it should be: a service must not find out later. */
export function kafkaConnection(config: BaseConfig): Pick<ConnectionOptions, 'brokers' | 'tls' | 'sasl'> {
  const { KAFKA_SECURITY_PROTOCOL: protocol = 'PLAINTEXT' } = config;
  return {
    brokers: config.KAFKA_BROKERS,
    tls: protocol.endsWith('SSL') ? tlsOf(config) : null,
    sasl: protocol.startsWith('SASL_') ? saslOf(config) : null,
  };
}

function tlsOf(config: BaseConfig): Tls {
  const ca = readPem(config, 'KAFKA_SSL_CA_FILE', pem => new X509Certificate(pem));
  const cert = readPem(config, 'KAFKA_SSL_CERT_FILE', pem => new X509Certificate(pem));
  const key = readPem(config, 'KAFKA_SSL_KEY_FILE', createPrivateKey);
  if (cert && key && !cert.parsed.checkPrivateKey(key.parsed))
    throw new ConfigError(['KAFKA_SSL_KEY_FILE: is not the key of KAFKA_SSL_CERT_FILE']);
  return { ...(ca ? { ca: ca.pem } : {}), ...(cert ? { cert: cert.pem } : {}), ...(key ? { key: key.pem } : {}) };
}

function readPem<T>(config: BaseConfig, name: `KAFKA_SSL_${string}` & keyof BaseConfig, parse: (pem: string) => T) {
  const path = config[name];
  if (path === undefined) return null;
  try {
    const pem = readFileSync(path, 'utf8');
    return { pem, parsed: parse(pem) };
  } catch (error) {
    throw new ConfigError([
      `${name}: ${isMissing(error) ? 'there is no such file' : 'is not what it should be, in PEM'}`,
    ]);
  }
}

const isMissing = (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT';

function saslOf(config: BaseConfig): Sasl {
  const { KAFKA_SASL_USERNAME: username = '', KAFKA_SASL_PASSWORD: password = '' } = config;
  switch (config.KAFKA_SASL_MECHANISM) {
    case 'SCRAM-SHA-256':
      return { mechanism: 'scram-sha-256', username, password };
    case 'SCRAM-SHA-512':
      return { mechanism: 'scram-sha-512', username, password };
    case 'OAUTHBEARER':
      return { mechanism: 'oauthbearer', token: () => bearerToken(config) };
    case 'PLAIN':
    case undefined:
      return { mechanism: 'plain', username, password };
  }
}

async function bearerToken(config: BaseConfig): Promise<string> {
  if (config.KAFKA_OAUTH_TOKEN_FILE !== undefined)
    return (await readFile(config.KAFKA_OAUTH_TOKEN_FILE, 'utf8')).trim();
  const { KAFKA_SASL_USERNAME: id = '', KAFKA_SASL_PASSWORD: secret = '', KAFKA_OAUTH_SCOPE: scope } = config;
  const credentials = Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64');
  const response = await fetch(config.KAFKA_OAUTH_TOKEN_ENDPOINT ?? '', {
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
