// What an installation needs around it, in its namespace: engines, secrets, the pod `outside`, and a pod that nobody
// knows.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ClusterUnderTest } from '@reeve/local/cluster';
import { repositoryRoot } from '@reeve/local/paths';
import { type Credentials, type ServiceName, serviceNames } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';
import { apply, kubectl, release } from './cluster.ts';

const random = () => randomBytes(32).toString('base64url');

const metadata = (name: string) => ({ name, labels: { app: name } });
const secret = (name: string, stringData: Record<string, string>) => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name },
  stringData,
});

export async function installEngines({ key, certificate, kafkaImage, mongodbImage }: ClusterUnderTest): Promise<void> {
  const manifest = readFileSync(join(repositoryRoot, 'infra/helm/secured-engines.yaml'), 'utf8')
    .replace('apache/kafka:4.1.0', kafkaImage)
    .replace('mongo:8', mongodbImage);
  const user = { username: 'reeve', password: random() };
  const tls = { 'keystore.pem': `${key.trim()}\n${certificate}`, 'ca.crt': certificate };
  await apply(secret('kafka', { ...user, ...tls }), manifest);
  for (const engine of ['kafka', 'mongodb'])
    await kubectl('rollout', 'status', `statefulset/${engine}`, '--timeout=5m');
  const members = [0, 1, 2].map(_id => ({ _id, host: `mongodb-${_id}.mongodb:27017` }));
  await mongosh(0, `rs.initiate(${JSON.stringify({ _id: 'rs0', members })})`);
  await primary();
}

const mongosh = (member: number, script: string) =>
  kubectl('exec', `mongodb-${member}`, '--', 'mongosh', '--quiet', '--eval', script);

/** The pod that is the primary, once there is one. `but` is one that was. */
export function primary(but?: string): Promise<string> {
  return eventually(
    'a primary of MongoDB',
    async () => {
      for (const member of [0, 1, 2]) {
        const name = `mongodb-${member}`;
        if (name === but) continue;
        const said = await mongosh(member, 'db.hello().isWritablePrimary').catch(() => '');
        if (said.trim() === 'true') return name;
      }
      return null;
    },
    120_000,
  );
}

/** What the chart reads, and whoever calls. */
export async function makeSecrets({ ports, namespace }: ClusterUnderTest): Promise<Credentials> {
  const clientSecret = random();
  const vaultKeys = { active: '1', keys: { 1: randomBytes(32).toString('base64') } };
  await apply(
    secret(release, {
      'mongodb-uri': 'mongodb://mongodb-0.mongodb,mongodb-1.mongodb,mongodb-2.mongodb/?replicaSet=rs0',
      'vault-keys.json': JSON.stringify(vaultKeys),
      'catalogue.json': '[]',
      'platform-client-secret': clientSecret,
      'consent-client-secret': random(),
      'cookie-keys': random(),
    }),
  );
  const url = (name: ServiceName) => `https://localhost:${ports[name]}`;
  return {
    issuer: url('auth'),
    clientId: 'reeve-platform',
    clientSecret,
    urls: {
      console: url('auth'),
      auth: url('auth'),
      provisioning: url('provisioning'),
      connectorConsent: url('connector-consent'),
      webhookIngress: url('webhook-ingress'),
      audit: url('audit'),
    },
    metrics: { auth: '', provisioning: '', 'connector-consent': '', 'webhook-ingress': '', audit: '' },
    kafka: 'kafka:9093',
    mongodb: '',
    demoTenant: '',
    demoUsers: [{ email: 'alice@acme.example', password: '' }],
    demoIdp: { oidc: providerOf({ ports, namespace }), saml: '', clientId: 'reeve', clientSecret: random() },
  };
}

const providerOf = ({ ports, namespace }: Pick<ClusterUnderTest, 'ports' | 'namespace'>) =>
  `https://outside.${namespace}.svc.cluster.local:${ports.provider}`;

/** One that has Node, on an image that the cluster has anyway. */
function nodePod(name: string, { repository, tag }: ClusterUnderTest, container: object, volumes: object[] = []) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: metadata(name),
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 1,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 1000,
        fsGroup: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      },
      containers: [
        {
          name,
          image: `${repository}/auth:${tag}`,
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
          resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { cpu: '1', memory: '256Mi' } },
          ...container,
        },
      ],
      volumes,
    },
  };
}

/** `outside` is the one client of the release; `stranger` is none. */
export async function installOutside(cluster: ClusterUnderTest): Promise<void> {
  const { ports, key, certificate } = cluster;
  const services = Object.fromEntries(serviceNames.map(name => [`${release}-${name}`, ports[name]]));
  const provider = {
    issuer: providerOf(cluster),
    browsers: `https://localhost:${ports.provider}`,
    port: ports.provider,
  };
  const script = readFileSync(join(repositoryRoot, 'test/src/cluster/outside.mjs'), 'utf8');
  await apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('outside'), data: { 'outside.mjs': script } },
    secret('outside', { 'tls.key': key, 'tls.crt': certificate }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: metadata('outside'),
      spec: { selector: { app: 'outside' }, ports: [{ port: ports.provider }] },
    },
    nodePod(
      'outside',
      cluster,
      {
        command: ['node', '/etc/outside-script/outside.mjs'],
        env: [{ name: 'OUTSIDE', value: JSON.stringify({ services, provider }) }],
        readinessProbe: { tcpSocket: { port: ports.provider }, periodSeconds: 1 },
        volumeMounts: [
          { name: 'script', mountPath: '/etc/outside-script' },
          { name: 'tls', mountPath: '/etc/outside' },
        ],
      },
      [
        { name: 'script', configMap: { name: 'outside' } },
        { name: 'tls', secret: { secretName: 'outside' } },
      ],
    ),
    nodePod('stranger', cluster, { command: ['node', '-e', 'setInterval(() => undefined, 1_000_000)'] }),
  );
  await kubectl('wait', 'pod/outside', 'pod/stranger', '--for=condition=Ready', '--timeout=2m');
}

/** As a file for Helm, which takes JSON. `replicas` is of each service. */
export function valuesFor({ repository, tag, ports, namespace }: ClusterUnderTest, replicas: number) {
  const engine = (app: string) => [{ podSelector: { matchLabels: { app } } }];
  const resources = { requests: { cpu: '20m' } };
  const services = Object.fromEntries(
    serviceNames.map(name => [name, { url: `https://localhost:${ports[name]}`, replicas, resources }]),
  );
  return {
    image: { repository, tag },
    kafka: { brokers: ['kafka:9093'], protocol: 'SASL_SSL', mechanism: 'SCRAM-SHA-512' },
    secrets: {
      kafkaCa: { name: 'kafka', key: 'ca.crt' },
      kafkaUsername: { name: 'kafka', key: 'username' },
      kafkaPassword: { name: 'kafka', key: 'password' },
    },
    networkPolicy: {
      clients: engine('outside'),
      kafka: engine('secured-kafka'),
      mongodb: engine('secured-mongodb'),
    },
    allowedNetworks: [`identity_providers=outside.${namespace}.svc.cluster.local`],
    services: {
      ...services,
      auth: {
        ...services['auth'],
        settings: { NODE_EXTRA_CA_CERTS: '/etc/outside/tls.crt' },
        egress: [{ ports: [{ port: ports.provider, protocol: 'TCP' }], to: engine('outside') }],
        volumes: [{ name: 'outside', secret: { secretName: 'outside', items: [{ key: 'tls.crt', path: 'tls.crt' }] } }],
        volumeMounts: [{ name: 'outside', mountPath: '/etc/outside', readOnly: true }],
      },
    },
  };
}
