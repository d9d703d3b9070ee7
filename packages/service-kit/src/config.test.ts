import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { baseConfig, loadConfig } from './config.ts';

const complete = {
  PORT: '4001',
  REEVE_SELF_URL: 'http://localhost:4001',
  REEVE_ISSUER: 'http://localhost:4001',
  KAFKA_BROKERS: 'a:9092, b:9092',
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
