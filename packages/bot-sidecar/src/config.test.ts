import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { readConfig } from './config.ts';

const complete = {
  REEVE_ISSUER: 'https://id.example.com',
  REEVE_CLIENT_ID: 'cli_1',
  REEVE_CLIENT_SECRET: 'the secret',
};

test('without more than it needs it listens where the SDK looks for it', () => {
  expect(readConfig(complete)).toMatchObject({ host: '127.0.0.1', port: 5_178, tenant: null, clientId: 'cli_1' });
});

test('all that is wrong is named, and no value', () => {
  const wrong = {
    REEVE_ISSUER: 'http://id.example.com',
    HOST: '0.0.0.0',
    PORT: 'x',
    REEVE_CLIENT_SECRET: 'the secret',
  };
  expect(() => readConfig(wrong)).toThrow(/REEVE_ISSUER.*\n.*REEVE_CLIENT_ID.*\n.*HOST.*\n.*PORT/);
  expect(() => readConfig(wrong)).not.toThrow(/the secret|0\.0\.0\.0|id\.example/);
});

test.each(['203.0.113.7', '::', '8.8.8.8', 'example.com'])('it does not listen on %s', HOST => {
  expect(() => readConfig({ ...complete, HOST })).toThrow(/HOST/);
});

test.each(['127.0.0.2', '10.1.2.3', '192.168.0.9', '::1', 'fd00::1'])('it may listen on %s', HOST => {
  expect(readConfig({ ...complete, HOST }).host).toBe(HOST);
});

test('there is one secret, by the variable or by a file that is read anew each time', () => {
  const directory = mkdtempSync(join(tmpdir(), 'reeve-sidecar-'));
  const file = join(directory, 'secret');
  const { REEVE_CLIENT_SECRET: _, ...without } = complete;
  expect(() => readConfig(without)).toThrow(/REEVE_CLIENT_SECRET_FILE/);
  expect(() => readConfig({ ...complete, REEVE_CLIENT_SECRET_FILE: file })).toThrow(/REEVE_CLIENT_SECRET_FILE/);
  writeFileSync(file, 'first\n');
  const config = readConfig({ ...without, REEVE_CLIENT_SECRET_FILE: file });
  expect(config.readSecret()).toBe('first');
  writeFileSync(file, 'second\n');
  expect(config.readSecret()).toBe('second');
  rmSync(directory, { recursive: true });
});

test('a key in a file is a credential as well, and there is one of them', () => {
  const { REEVE_CLIENT_SECRET: _, ...without } = complete;
  expect(readConfig({ ...without, REEVE_CLIENT_KEY_FILE: '/run/key' })).toMatchObject({ keyFile: '/run/key' });
  expect(readConfig(complete)).toMatchObject({ keyFile: null });
  expect(() => readConfig({ ...complete, REEVE_CLIENT_KEY_FILE: '/run/key' })).toThrow(/REEVE_CLIENT_KEY_FILE/);
});
