// Commands that ask Kafka, where it lets in only whoever says who they are.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startOwnKafka } from '@reeve/local/own-kafka';
import { saidBy } from './run-command.test-support.ts';

const user = { username: 'operator', password: 'only here' };

let kafka: Awaited<ReturnType<typeof startOwnKafka>>;

beforeAll(async () => {
  const login = 'org.apache.kafka.common.security.plain.PlainLoginModule';
  kafka = await startOwnKafka({
    listeners: { SASL: 'SASL_PLAINTEXT' },
    properties: [
      'sasl.enabled.mechanisms=PLAIN',
      `listener.name.sasl.plain.sasl.jaas.config=${login} required user_${user.username}="${user.password}";`,
    ],
  });
}, 120_000);
afterAll(() => kafka.stop());

const reeve = (args: readonly string[], variables: Record<string, string> = {}) =>
  saidBy(args, {
    KAFKA_BROKERS: `localhost:${kafka.ports['SASL']}`,
    KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
    KAFKA_SASL_MECHANISM: 'PLAIN',
    KAFKA_SASL_USERNAME: user.username,
    KAFKA_SASL_PASSWORD: user.password,
    ...variables,
  });

test('they say who they are as services do', async () => {
  const status = await reeve(['kafka', 'status']);
  expect(status).toEqual({ code: 0, out: expect.stringMatching(/^1 brokers, 0 topics/m) });
  const letters = await reeve(['dead-letters', 'list', 'reeve.auth.v1', 'audit.chain']);
  expect(letters).toEqual({ code: 0, out: expect.stringContaining('0 dead letters of reeve.auth.v1') });
}, 60_000);

test.each([
  [{ KAFKA_SASL_PASSWORD: 'another' }, 'Authentication failed'],
  [{ KAFKA_SASL_MECHANISM: '' }, 'KAFKA_SASL_MECHANISM: is required with SASL_PLAINTEXT'],
  [{ KAFKA_SECURITY_PROTOCOL: 'TLS' }, 'KAFKA_SECURITY_PROTOCOL: '],
  [{ KAFKA_SECURITY_PROTOCOL: '' }, 'KAFKA_SASL_MECHANISM: is for SASL_SSL or SASL_PLAINTEXT'],
])(
  '%j ends with 2, says why, and shows no password',
  async (variables, why) => {
    for (const command of [
      ['kafka', 'status'],
      ['dead-letters', 'list', 'reeve.auth.v1', 'audit.chain'],
    ]) {
      const { code, out } = await reeve(command, variables);
      expect({ code, out }).toEqual({ code: 2, out: expect.stringContaining(why) });
      expect(out).not.toContain(user.password);
    }
  },
  60_000,
);
