// The whole system over a broker that lets each service do what the chart has Strimzi allow it, and nothing else.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createChildren } from '@reeve/local/children';
import { startOwnKafka } from '@reeve/local/own-kafka';
import { send, signedWebhook } from '@reeve/local/partner';
import { freePorts } from '@reeve/local/ports';
import { registerProductApp, signIn } from '@reeve/local/product-app';
import { seedTenant, tenantApi } from '@reeve/local/seed';
import { type ServiceName, type System, serviceNames, startSystem } from '@reeve/local/system';
import { engines, eventually } from '@reeve/testing';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { chart, kafkaUsers } from './chart.test-support.ts';

const password = 'only here';
const listener = 'listener.name.services';
const directory = mkdtempSync(join(tmpdir(), 'reeve-kafka-users-'));
const children = createChildren(directory);

let kafka: Awaited<ReturnType<typeof startOwnKafka>>;
let system: System;

const numbers = {
  type: { topic: AclResourceTypes.TOPIC, group: AclResourceTypes.GROUP },
  pattern: { literal: ResourcePatternTypes.LITERAL, prefix: ResourcePatternTypes.PREFIXED },
  operation: {
    Read: AclOperationTypes.READ,
    Write: AclOperationTypes.WRITE,
    Describe: AclOperationTypes.DESCRIBE,
    Create: AclOperationTypes.CREATE,
  },
};

async function allow(): Promise<void> {
  // Whoever does not say who they are may do everything: the listener of this test alone.
  const admin = new Kafka({ brokers: [kafka.address], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const acl = [...kafkaUsers('strimzi')].flatMap(([name, acls]) =>
    acls.flatMap(({ resource, operations }) =>
      operations.map(operation => ({
        principal: `User:${name}`,
        host: '*',
        permissionType: AclPermissionTypes.ALLOW,
        resourceType: numbers.type[resource.type],
        resourceName: resource.name,
        resourcePatternType: numbers.pattern[resource.patternType],
        operation: numbers.operation[operation],
      })),
    ),
  );
  await admin.createAcls({ acl });
  await admin.disconnect();
}

const credentialsOf = (name: ServiceName) => ({ KAFKA_SASL_USERNAME: name, KAFKA_SASL_PASSWORD: password });

/** What happens to a message that this service's user writes. */
async function written(name: ServiceName, topic: string): Promise<string> {
  const sasl = { mechanism: 'plain', username: name, password } as const;
  const brokers = [`localhost:${kafka.ports['SERVICES']}`];
  const client = new Kafka({ brokers, sasl, ssl: false, logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const producer = client.producer();
  await producer.connect();
  const said = await producer.send({ topic, messages: [{ value: 'not an event' }] }).then(
    () => 'taken',
    (error: { type?: string; message: string }) => error.type ?? error.message,
  );
  await producer.disconnect();
  return said;
}

chart.describe('services whose users may do what the chart says', () => {
  beforeAll(async () => {
    const users = serviceNames.map(name => `user_${name}="${password}"`).join(' ');
    kafka = await startOwnKafka({
      listeners: { SERVICES: 'SASL_PLAINTEXT' },
      properties: [
        `${listener}.sasl.enabled.mechanisms=PLAIN`,
        `${listener}.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`,
        'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users=User:ANONYMOUS',
      ],
    });
    await allow();
    system = await startSystem({
      children,
      engines: {
        kafka: `localhost:${kafka.ports['SERVICES']}`,
        mongodb: engines().mongodb,
        restartKafka: null,
        restartMongodb: null,
        died: new Promise(() => undefined),
        stop: () => Promise.resolve(),
      },
      ports: await freePorts(),
      directory,
      databasePrefix: `users_${Date.now().toString(36)}`,
      environment: {
        KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
        KAFKA_SASL_MECHANISM: 'PLAIN',
        LOG_LEVEL: 'warn',
      },
      environmentOf: Object.fromEntries(serviceNames.map(name => [name, credentialsOf(name)])),
    });
  }, 180_000);
  afterAll(async () => {
    await system.stop();
    await children.stopAll();
    await kafka.stop();
    rmSync(directory, { recursive: true });
  }, 60_000);

  test('do all that they are there for', async () => {
    const { credentials } = system;
    const [alice] = credentials.demoUsers;
    const tenant = await seedTenant(credentials, { slug: `users-${Date.now().toString(36)}`, name: 'Users' });
    const api = await tenantApi(credentials, tenant);
    const app = await registerProductApp(api, credentials, tenant);
    expect(alice).toBeDefined();
    if (alice) await signIn(app, tenant, alice);
    const { webhookIngress, connectorConsent, audit } = credentials.urls;
    const endpoint = await api.post<{ url: string; secret: string }>(
      `${webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`,
      { connectorId: 'demo' },
    );
    expect((await send(endpoint.url, signedWebhook(endpoint.secret, { n: 1 }))).status).toBe(202);
    await api.post(`${connectorConsent}/v1/tenants/${tenant.id}/installations:request`, {
      connectorId: 'demo-calendar',
      scopes: ['calendar.read'],
    });
    const wanted = ['user.created', 'session.created', 'delivery.accepted', 'installation.requested', 'secret.stored'];
    await eventually(
      `${wanted.join(', ')} in the log`,
      async () => {
        const events = `${audit}/v1/tenants/${tenant.id}/audit/events?limit=200`;
        const { items } = await api.get<{ items: { type: string }[] }>(events);
        return wanted.every(type => items.some(item => item.type === type));
      },
      60_000,
    );
  }, 120_000);

  test.each([
    ['webhook-ingress', 'reeve.directory.v1', 'reeve.webhook.v1'],
    ['connector-consent', 'reeve.revocations.v1', 'reeve.connector.v1'],
    ['provisioning', 'reeve.audit.v1', 'reeve.directory.v1'],
    ['auth', 'reeve.directory.v1', 'reeve.auth.v1'],
    ['audit', 'reeve.auth.v1', 'reeve.audit.v1'],
  ] as const)('%s cannot say on %s what is for others to say', async (name, foreign, own) => {
    expect(await written(name, foreign)).toBe('TOPIC_AUTHORIZATION_FAILED');
    expect(await written(name, own)).toBe('taken');
  });
});
