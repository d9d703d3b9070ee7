// What values are refused, and what is said of them.
import { expect, test } from '@jest/globals';
import { chart, render } from './chart.test-support.ts';

/** Each with its control: what is nearly the same, and taken. */
const cases = [
  { title: 'a name that there is not', wrong: 'replica=2', right: 'services.audit.replicas=2', says: 'replica' },
  {
    title: 'a name that a service has not',
    wrong: 'services.audit.replica=2',
    right: 'services.audit.replicas=2',
    says: 'replica',
  },
  {
    title: 'a service that there is not',
    wrong: 'services.console.url=https://console.example.com',
    right: 'services.audit.url=https://log.example.com',
    says: 'console',
  },
  {
    title: 'a variable that no service knows',
    wrong: 'settings.LOG_LEVL=warn',
    right: 'settings.LOG_LEVEL=warn',
    says: 'LOG_LEVL',
  },
  {
    title: 'a value that a variable has not',
    wrong: 'settings.LOG_LEVEL=loud',
    right: 'settings.LOG_LEVEL=debug',
    says: 'LOG_LEVEL',
  },
  {
    title: 'a variable of another service',
    wrong: 'services.provisioning.settings.REEVE_CHECKPOINT_SECONDS=a',
    right: 'services.audit.settings.REEVE_CHECKPOINT_SECONDS=a',
    says: 'REEVE_CHECKPOINT_SECONDS',
  },
  {
    title: 'a variable that the chart sets',
    wrong: 'services.audit.settings.PORT=a',
    right: 'services.audit.settings.REEVE_PRODUCT_NAME=a',
    says: 'PORT',
  },
  {
    title: 'a switch of tests',
    wrong: 'settings.REEVE_RATE_LIMITS=off',
    right: 'settings.REEVE_PRODUCT_NAME=off',
    says: 'REEVE_RATE_LIMITS',
  },
  { title: 'an image of no certain version', wrong: 'image.tag=latest', right: 'image.tag=0.1.0', says: 'tag' },
  {
    title: 'a digest that is none',
    wrong: 'services.audit.digest=sha256:1',
    right: `services.audit.digest=sha256:${'1'.repeat(64)}`,
    says: 'digest',
  },
  {
    title: 'a URL with a path',
    wrong: 'services.audit.url=https://id.example.com/audit',
    right: 'services.audit.url=https://log.example.com',
    says: 'url',
  },
  {
    title: 'a broker without a port',
    wrong: 'kafka.brokers={kafka}',
    right: 'kafka.brokers={kafka:9092}',
    says: 'brokers',
  },
  {
    title: 'a secret in place of where it is',
    wrong: 'secrets.mongodbUri=mongodb://kafka',
    right: 'secrets.mongodbUri.name=mongodb',
    says: 'mongodbUri',
  },
  {
    title: 'a secret that there is not',
    wrong: 'secrets.cookieKey.name=reeve',
    right: 'secrets.cookieKeys.name=cookies',
    says: 'cookieKey',
  },
  {
    title: 'resources without a bound',
    wrong: 'services.audit.resources.limits.memory=null',
    right: 'services.audit.resources.limits.memory=1Gi',
    says: 'memory',
  },
];

/** By the templates: what the schema cannot say. */
const together = [
  { title: 'SASL without a mechanism', set: ['kafka.protocol=SASL_SSL'], says: 'kafka.mechanism is missing' },
  { title: 'a mechanism without SASL', set: ['kafka.mechanism=PLAIN'], says: 'kafka.mechanism is for' },
  {
    title: 'SCRAM without a user',
    set: ['kafka.protocol=SASL_SSL', 'kafka.mechanism=SCRAM-SHA-512'],
    says: 'secrets.kafkaPassword is missing',
  },
  {
    title: 'OAUTHBEARER without a token',
    set: ['kafka.protocol=SASL_SSL', 'kafka.mechanism=OAUTHBEARER'],
    says: 'kafka.tokenEndpoint',
  },
  { title: 'no key file for the vault', set: ['secrets.vaultKeys=null'], says: 'secrets.vaultKeys is missing' },
  { title: 'keys in a transit engine that is not named', set: ['keyManagement.kind=transit'], says: 'transit.url' },
  { title: 'keys in AWS KMS without a key', set: ['keyManagement.kind=awsKms'], says: 'keyManagement.awsKms.keyArn' },
  {
    title: 'keys that move from a kind to itself',
    set: ['keyManagement.former=keyFile'],
    says: 'keyManagement.former is another kind',
  },
  { title: 'two services at one host', set: ['services.audit.url=https://id.example.com'], says: 'a host of its own' },
  { title: 'a Gateway that is not named', set: ['gateway.enabled=true'], says: 'gateway.parentRefs' },
  {
    title: 'secrets from a store that is not named',
    set: ['externalSecrets.enabled=true'],
    says: 'externalSecrets.store.name',
  },
  { title: 'topics for a cluster that is not named', set: ['strimzi.topics=true'], says: 'strimzi.cluster' },
  {
    title: 'certificates of users without TLS',
    set: ['strimzi.users=tls', 'strimzi.cluster=kafka'],
    says: 'kafka.protocol: SSL',
  },
];

chart.describe('values are refused with', () => {
  test.each(cases)('$title', ({ wrong, right, says }) => {
    expect(() => render('minimal', { set: [wrong] })).toThrow(says);
    expect(render('minimal', { set: [right] }).length).toBeGreaterThan(20);
  });

  test.each(together)('$title', ({ set, says }) => {
    expect(() => render('minimal', { set })).toThrow(says);
  });
});
