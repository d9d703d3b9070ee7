import { expect, test } from '@jest/globals';
import { logLevel } from 'kafkajs';
import { kafkaLog } from './kafka-log.ts';

function createLog() {
  const lines: string[] = [];
  const say = kafkaLog((level, message, about) => lines.push(`${level} ${message} ${JSON.stringify(about)}`));
  return {
    lines,
    say: (message: string, { level = logLevel.ERROR, expected = false, ...about }: Record<string, unknown> = {}) =>
      say(
        {
          namespace: 'Connection',
          level: level as logLevel,
          label: 'ERROR',
          log: { timestamp: '2026-01-01', logger: 'kafkajs', message, stack: 'a stack', ...about },
        },
        { expected: expected as boolean },
      ),
  };
}

test('what kafkajs calls an error is a warning, without the stack, and the same words come once', () => {
  const { lines, say } = createLog();
  say('Connection error: refused', { broker: 'a:1' });
  say('Connection error: refused', { broker: 'a:1' });
  say('Closed connection');
  expect(lines).toEqual([
    'warn Connection error: refused {"broker":"a:1","from":"kafkajs"}',
    'debug Connection error: refused {"broker":"a:1","from":"kafkajs"}',
    'warn Closed connection {"from":"kafkajs"}',
  ]);
});

test.each([
  ['The group is rebalancing, re-joining', {}],
  ['Response Heartbeat(key: 12, version: 3)', { error: 'The group is rebalancing, so a rejoin is needed' }],
  ['The coordinator is not aware of this member, re-joining the group', {}],
  ['Limiting retries for the idempotent producer may invalidate EoS guarantees', {}],
  ['Connection error: it was ended by us', { expected: true }],
  ['Consumer has joined the group', { level: logLevel.INFO }],
])('%s %j is no warning', (message, about) => {
  const { lines, say } = createLog();
  say(message, about);
  expect(lines).toEqual([expect.stringMatching(/^debug/)]);
});
