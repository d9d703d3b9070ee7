import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { baseConfig, loadConfig, storeHosts } from './config.ts';

const complete = {
  PORT: '4001',
  REEVE_SELF_URL: 'http://localhost:4001',
  REEVE_ISSUER: 'http://localhost:4001',
  KAFKA_BROKERS: 'a:9092, b:9092',
  KAFKA_SECURITY_PROTOCOL: 'SSL',
  MONGODB_URI: 'mongodb://localhost',
  MONGODB_DATABASE: 'x',
};

describe('the configuration', () => {
  test('is read from the environment, and an empty variable is a missing one', () => {
    expect(loadConfig(baseConfig, { ...complete, LOG_LEVEL: '' })).toMatchObject({
      PORT: 4001,
      KAFKA_BROKERS: ['a:9092', 'b:9092'],
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
    });
  });

  test('reports every problem at once, by name and without the value', () => {
    const schema = baseConfig.extend({ SECRET: z.string().min(32) });
    let message = '';
    try {
      loadConfig(schema, { PORT: 'none', SECRET: 'hunter2' });
    } catch (error) {
      message = (error as Error).message;
    }
    for (const name of [
      'PORT',
      'REEVE_SELF_URL',
      'REEVE_ISSUER',
      'KAFKA_BROKERS',
      'MONGODB_URI',
      'MONGODB_DATABASE',
      'SECRET',
    ])
      expect(message).toContain(`- ${name}:`);
    expect(message).not.toContain('hunter2');
  });

  test.each([{ REEVE_RATE_LIMITS: 'off' }, { REEVE_ALLOWED_PRIVATE_ORIGINS: 'http://localhost:1' }])(
    'production refuses %j, which development takes',
    change => {
      expect(() => loadConfig(baseConfig, { ...complete, ...change, NODE_ENV: 'production' })).toThrow(
        Object.keys(change)[0],
      );
      expect(loadConfig(baseConfig, { ...complete, ...change, NODE_ENV: 'development' })).toBeDefined();
    },
  );
});

test('networks inside are opened in production too, and a mistake is named', () => {
  const given = { ...complete, NODE_ENV: 'production', REEVE_ALLOWED_NETWORKS: 'sinks=10.20.0.0/16' };
  expect(loadConfig(baseConfig, given).REEVE_ALLOWED_NETWORKS).toHaveLength(1);
  expect(() => loadConfig(baseConfig, { ...given, REEVE_ALLOWED_NETWORKS: 'sinks=0.0.0.0/0' })).toThrow(
    /REEVE_ALLOWED_NETWORKS.*not within a private network/,
  );
});

test.each([
  ['mongodb://db', 'db'],
  ['mongodb://ada:geheim@a:27017,b:27017/?replicaSet=reeve', 'a:27017,b:27017'],
  ['mongodb+srv://ada@db.example/x', 'db.example'],
  ['mongodb://ada:ge/he@im@db', 'db'],
  ['mongodb://db/?authMechanismProperties=SERVICE_HOST:a@b', 'b'],
])('of %s the hosts are said, and never a password', (MONGODB_URI, hosts) => {
  expect(storeHosts({ MONGODB_URI })).toBe(hosts);
});
