// What Strimzi is told is what the code declares and uses.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { deadLetterTopic, maxMessageBytes, topics } from '@reeve/contracts';
import { repositoryRoot } from '@reeve/local/paths';
import { serviceNames } from '@reeve/local/system';
import { z } from 'zod';
import { chart, deploymentsOf, one, render } from './chart.test-support.ts';

const topicSpec = z.strictObject({
  topicName: z.string(),
  partitions: z.number(),
  replicas: z.number(),
  config: z.record(z.string(), z.union([z.string(), z.number()])),
});
const userSpec = z.strictObject({
  authentication: z.strictObject({ type: z.string() }),
  authorization: z.strictObject({
    type: z.literal('simple'),
    acls: z.array(
      z.strictObject({
        resource: z.strictObject({ type: z.string(), name: z.string(), patternType: z.literal('prefix') }),
        operations: z.array(z.string()),
      }),
    ),
  }),
});

const allowed = (set?: string[]) =>
  new Map(
    render('strimzi', set ? { set } : {})
      .filter(({ kind }) => kind === 'KafkaUser')
      .map(({ metadata, spec }) => [metadata.name.replace('reeve-', ''), userSpec.parse(spec).authorization.acls]),
  );

function may(user: string, operation: string, { type, name }: { type: string; name: string }, set?: string[]): boolean {
  return (allowed(set).get(user) ?? []).some(
    ({ resource, operations }) =>
      resource.type === type && name.startsWith(resource.name) && operations.includes(operation),
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

  test('reads, writes and makes the topics of Reeve, and no other', () => {
    const names = [...Object.keys(topics), deadLetterTopic('reeve.auth.v1', 'audit.chain')];
    for (const name of names)
      for (const operation of ['Read', 'Write', 'Create', 'Describe'])
        expect(may('audit', operation, { type: 'topic', name })).toBe(true);
    expect(may('audit', 'Read', { type: 'topic', name: 'orders.v1' })).toBe(false);
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
