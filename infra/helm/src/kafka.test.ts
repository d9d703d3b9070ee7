// What Strimzi is told is what the code declares and uses.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { deadLetterTopic, maxMessageBytes, type Topic, topics } from '@reeve/contracts';
import { repositoryRoot } from '@reeve/local/paths';
import { serviceNames } from '@reeve/local/system';
import { z } from 'zod';
import { chart, deploymentsOf, type KafkaOperation, kafkaUsers, one, render } from './chart.test-support.ts';

const topicSpec = z.strictObject({
  topicName: z.string(),
  partitions: z.number(),
  replicas: z.number(),
  config: z.record(z.string(), z.union([z.string(), z.number()])),
});
function may(
  user: string,
  operation: KafkaOperation,
  { type, name }: { type: string; name: string },
  set?: string[],
): boolean {
  return (kafkaUsers('strimzi', set ? { set } : {}).get(user) ?? []).some(
    ({ resource, operations }) =>
      resource.type === type &&
      (resource.patternType === 'prefix' ? name.startsWith(resource.name) : name === resource.name) &&
      operations.includes(operation),
  );
}

chart.describe('topics', () => {
  test('are those of the contracts, with their partitions and retention', () => {
    const made = render('strimzi')
      .filter(({ kind }) => kind === 'KafkaTopic')
      .map(({ spec }) => topicSpec.parse(spec));
    expect(
      Object.fromEntries(made.map(({ topicName, partitions, config }) => [topicName, { partitions, config }])),
    ).toEqual(
      Object.fromEntries(
        Object.entries(topics).map(([name, { partitions, retentionMs, compacted }]) => [
          name,
          {
            partitions,
            config: {
              'cleanup.policy': compacted ? 'compact' : 'delete',
              'retention.ms': String(retentionMs),
              'max.message.bytes': String(maxMessageBytes),
              'min.insync.replicas': 2,
            },
          },
        ]),
      ),
    );
  });

  test('have as many partitions as are asked for, but where all messages have to be in one', () => {
    const made = render('strimzi', { set: ['strimzi.partitions=12'] })
      .filter(({ kind }) => kind === 'KafkaTopic')
      .map(({ spec }) => topicSpec.parse(spec));
    for (const { topicName, partitions } of made)
      expect([topicName, partitions]).toEqual([topicName, topicName === 'reeve.revocations.v1' ? 1 : 12]);
  });

  test('stay when the release goes', () => {
    const made = render('strimzi').filter(({ kind }) => kind === 'KafkaTopic');
    expect(made.every(({ metadata }) => metadata.annotations?.['helm.sh/resource-policy'] === 'keep')).toBe(true);
  });
});

/** What a service's sources name as its groups. */
const groupsOf = (name: string) =>
  globSync(`services/${name}/src/**/*.ts`, { cwd: repositoryRoot })
    .filter(file => !file.includes('.test'))
    .flatMap(
      file =>
        readFileSync(join(repositoryRoot, file), 'utf8').match(/(?<=(bus\.subscribe\(\s*|const group = )')[^']+/g) ??
        [],
    );

chart.describe('a user of Kafka', () => {
  test.each(serviceNames)('%s: reads in the groups of its service, and in no other', name => {
    const groups = groupsOf(name);
    expect(groups.length).toBeGreaterThan(0);
    for (const group of groups) {
      expect([group, may(name, 'Read', { type: 'group', name: group })]).toEqual([group, true]);
      const others = serviceNames.filter(other => other !== name);
      expect(others.filter(other => may(other, 'Read', { type: 'group', name: group }))).toEqual([]);
    }
    expect(may(name, 'Read', { type: 'group', name: `reeve-${name}.follow.1` })).toBe(true);
    expect(may(name, 'Read', { type: 'group', name: 'reeve.read.1' })).toBe(true);
  });

  test('reads in groups with the prefix of the installation', () => {
    const set = ['kafka.groupPrefix=production.'];
    expect(may('audit', 'Read', { type: 'group', name: 'production.audit.chain' }, set)).toBe(true);
    expect(may('audit', 'Read', { type: 'group', name: 'audit.chain' }, set)).toBe(false);
  });

  test.each(serviceNames)('%s: reads and makes the topics of Reeve, and no other', name => {
    for (const topic of [...Object.keys(topics), deadLetterTopic('reeve.auth.v1', `${name}.chain`)])
      for (const operation of ['Read', 'Create', 'Describe'] as const)
        expect(may(name, operation, { type: 'topic', name: topic })).toBe(true);
    expect(may(name, 'Read', { type: 'topic', name: 'orders.v1' })).toBe(false);
  });

  test.each(serviceNames)('%s: writes what is its own to say, and what it sets aside', name => {
    for (const [topic, { writers }] of Object.entries<Topic>(topics))
      expect([topic, may(name, 'Write', { type: 'topic', name: topic })]).toEqual([topic, writers.includes(name)]);
    const setAside = (by: string) => ({ type: 'topic', name: deadLetterTopic('reeve.auth.v1', `${by}.chain`) });
    expect(serviceNames.filter(other => may(name, 'Write', setAside(other)))).toEqual([name]);
  });

  test('sets aside in groups with the prefix of the installation', () => {
    const topic = deadLetterTopic('reeve.auth.v1', 'production.audit.chain');
    expect(may('audit', 'Write', { type: 'topic', name: topic }, ['kafka.groupPrefix=production.'])).toBe(true);
    expect(may('audit', 'Write', { type: 'topic', name: topic })).toBe(false);
  });

  test('proves itself by what Strimzi makes: a certificate, or a password', () => {
    const scram = ['strimzi.users=scram-sha-512', 'kafka.protocol=SASL_SSL', 'kafka.mechanism=SCRAM-SHA-512'];
    const text = (set?: string[]) => JSON.stringify(deploymentsOf(render('strimzi', set ? { set } : {})).get('audit'));
    expect(text()).toContain('{"name":"reeve-audit","items":[{"key":"user.crt","path":"kafka.crt"}]}');
    expect(text()).not.toContain('KAFKA_SASL');
    expect(text(scram)).toContain('{"name":"KAFKA_SASL_USERNAME","value":"reeve-audit"}');
    expect(text(scram)).toContain('"secretKeyRef":{"name":"reeve-audit","key":"password"}');
    expect(text(scram)).not.toContain('user.crt');
  });
});

chart.test('the External Secrets Operator makes every Secret that is named, with its keys', async () => {
  const made = render('openbao').filter(({ kind }) => kind === 'ExternalSecret');
  expect(made.map(({ metadata }) => metadata.name)).toEqual([
    'reeve-catalogue',
    'reeve-clients',
    'reeve-cookies',
    'reeve-kafka',
    'reeve-mail',
    'reeve-mongodb',
    'reeve-openbao',
  ]);
  const clients = one(made.filter(({ metadata }) => metadata.name === 'reeve-clients'));
  expect((clients['spec'] as { data: unknown }).data).toEqual(
    ['consent', 'platform'].map(key => ({
      secretKey: key,
      remoteRef: { key: 'reeve/reeve-clients', property: key },
    })),
  );
});
