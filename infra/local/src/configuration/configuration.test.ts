import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { envExample } from './env-example.ts';
import { configurationReference } from './reference.ts';
import { variablesOf } from './service-variables.ts';

const common = z.object({
  PORT: z.coerce.number().int().describe('TCP port to listen on'),
  LOG_LEVEL: z.enum(['info', 'debug']).default('info').describe('What is logged'),
});
const schema = common.extend({
  SECRET: z.string().min(32).describe('Signs cookies'),
  PEERS: z
    .string()
    .transform(text => text.split(','))
    .default([])
    .describe('Who else there is'),
  KEY_FILE: z.string().min(1).optional().describe('A file'),
});

test('what is required, and what a variable is without being set, follow from the schema', () => {
  const of = Object.fromEntries(variablesOf(schema).map(({ name, ...rest }) => [name, rest]));
  expect(of).toEqual({
    PORT: { isRequired: true, default: null, oneOf: [], is: 'TCP port to listen on' },
    LOG_LEVEL: { isRequired: false, default: 'info', oneOf: ['info', 'debug'], is: 'What is logged' },
    SECRET: { isRequired: true, default: null, oneOf: [], is: 'Signs cookies, 32 characters or more' },
    PEERS: { isRequired: false, default: null, oneOf: [], is: 'Who else there is' },
    KEY_FILE: { isRequired: false, default: null, oneOf: [], is: 'A file' },
  });
});

test('a variable that nobody described is refused', () => {
  expect(() => variablesOf(z.object({ PORT: z.string() }))).toThrow('description');
});

test('an example has the required variables first, to be filled in, and the others with their defaults', () => {
  const lines = envExample('audit', variablesOf(schema)).split('\n');
  expect(lines.filter(line => /^(# )?[A-Z_]+=/.test(line))).toEqual([
    'PORT=',
    'SECRET=',
    '# LOG_LEVEL=info',
    '# PEERS=',
    '# KEY_FILE=',
  ]);
  expect(lines).toContain('# What is logged. One of info, debug.');
});

test('the reference says once what all services have, and of each what is its own', () => {
  const page = configurationReference(
    new Map([
      ['auth', variablesOf(schema)],
      ['audit', variablesOf(common)],
    ]),
  );
  const [, every = '', auth = '', audit = ''] = page.split('\n## ');
  expect(every).toContain('| `LOG_LEVEL` | no | `info` | What is logged: `info`, `debug` |');
  expect(every).not.toContain('SECRET');
  expect(auth).toContain('| `SECRET` | yes |  |');
  expect(auth).not.toContain('LOG_LEVEL');
  expect(audit).toContain('Nothing else.');
});
