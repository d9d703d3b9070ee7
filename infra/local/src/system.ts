// The whole system as processes on this machine: the demo peers and the five services, over engines that are there
// already. A service may have several instances over its one store, as behind a load balancer.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Balancer, startBalancer } from './balancer.ts';
import { type Child, type Children, createDeathWatch, notUp } from './children.ts';
import type { Engines } from './engines/engine.ts';
import { nodeBinary, repositoryRoot } from './paths.ts';
import { assertFree, freePort, type Ports } from './ports.ts';
import { localSecrets, vaultKeyFile } from './secrets.ts';
import { startWithinMs, waitFor } from './wait-for.ts';

export const serviceNames = ['auth', 'provisioning', 'connector-consent', 'webhook-ingress', 'audit'] as const;
export type ServiceName = (typeof serviceNames)[number];

export type Credentials = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  urls: {
    console: string;
    auth: string;
    provisioning: string;
    connectorConsent: string;
    webhookIngress: string;
    audit: string;
  };
  /** Where each says what it measures. */
  metrics: Record<ServiceName, string>;
  kafka: string;
  mongodb: string;
  demoTenant: string;
  demoUsers: { email: string; password: string }[];
  demoIdp: { oidc: string; saml: string; clientId: string; clientSecret: string };
};

export type System = {
  credentials: Credentials;
  /** SIGKILL and start again, as Kubernetes would after a crash. Resolves when it is ready. Instances count from 0. */
  crash(name: ServiceName, instance?: number): Promise<void>;
  /**
   * Of a balanced service: another instance takes the place of the first, as in a rolling update. It gets requests when
   * it is ready, both do for a moment, and then the old one is told to end.
   */
  replace(name: ServiceName): Promise<void>;
  /** The process does nothing until `resume`, as a node that is starved or cut off. */
  pause(name: ServiceName, instance?: number): void;
  resume(name: ServiceName, instance?: number): void;
  pidOf(name: ServiceName, instance?: number): number;
  /** Where each instance listens. To all of them tokens are for the first, which alone is in `credentials`. */
  urlsOf(name: ServiceName): string[];
  /** Rejects with a SetupError when a process ends by itself. */
  died: Promise<never>;
  stop(): Promise<void>;
};

export type SystemOptions = {
  children: Children;
  engines: Engines;
  ports: Ports;
  /** For secrets and credentials.json. */
  directory: string;
  /** Put before the names of the databases, so that several systems share a store. */
  databasePrefix?: string;
  environment?: Record<string, string>;
  /** Of one service, besides. */
  environmentOf?: Partial<Record<ServiceName, Record<string, string>>>;
  /** How many there are of a service, when not one. */
  instances?: Partial<Record<ServiceName, number>>;
  /** Puts a balancer in front of each service, at its URL. */
  balanced?: boolean;
  /** Runs what `npm run build` made, as the images do, and not the sources. */
  built?: boolean;
};

/** What is special to a service. */
type Own = { port: number; metricsPort: number; env: Record<string, string>; flags?: readonly string[] };
type Place = { number: number; port: number; metricsPort: number };
type Instance = Place & { child: Child };

const people = [
  { email: 'alice@acme.example', givenName: 'Alice', familyName: 'Liddell' },
  { email: 'bob@acme.example', givenName: 'Bob', familyName: 'Sawyer' },
  { email: 'grace@globex.example', givenName: 'Grace', familyName: 'Hopper' },
];

const bothServeForMs = 1_000;

const platformClientId = 'reeve-platform';
const idpClientId = 'reeve';

export async function startSystem({
  children,
  engines,
  ports,
  directory,
  databasePrefix = 'reeve',
  environment = {},
  environmentOf = {},
  instances = {},
  balanced = false,
  built = false,
}: SystemOptions): Promise<System> {
  const secrets = localSecrets(directory);
  const { kafka: _, kafkaController: __, mongodb: ___, ...listening } = ports;
  await assertFree(listening);
  const url = (port: number) => `http://localhost:${port}`;
  const urls = {
    console: url(ports.auth - 1),
    auth: url(ports.auth),
    provisioning: url(ports.provisioning),
    connectorConsent: url(ports.connectorConsent),
    webhookIngress: url(ports.webhookIngress),
    audit: url(ports.audit),
  };
  const idp = url(ports.demoIdp);
  const calendar = url(ports.demoOAuth);
  const demoUsers = people.map(person => ({ ...person, password: secrets.demoPassword }));

  const catalogue = join(directory, 'catalogue.json');
  mkdirSync(directory, { recursive: true });
  writeFileSync(catalogue, JSON.stringify(demoCatalogue(calendar, secrets.calendarClientSecret), null, 2), {
    mode: 0o600,
  });

  const common = {
    ...process.env,
    NODE_ENV: 'development',
    LOG_LEVEL: 'info',
    REEVE_ISSUER: urls.auth,
    KAFKA_BROKERS: engines.kafka,
    MONGODB_URI: engines.mongodb,
    REEVE_START_SECONDS: process.env['REEVE_START_SECONDS'] || String(startWithinMs / 1_000),
    REEVE_VAULT_KEY_FILE: vaultKeyFile(directory),
    REEVE_RESOURCES: Object.values(urls).join(','),
    ...environment,
    REEVE_ALLOWED_PRIVATE_ORIGINS: [
      idp,
      calendar,
      process.env['REEVE_ALLOWED_PRIVATE_ORIGINS'],
      environment['REEVE_ALLOWED_PRIVATE_ORIGINS'],
    ]
      .filter(Boolean)
      .join(','),
  };
  const own: Record<ServiceName, Own> = {
    auth: {
      port: ports.auth,
      metricsPort: ports.authMetrics,
      env: {
        REEVE_PROVISIONING_URL: urls.provisioning,
        REEVE_PLATFORM_CLIENT_ID: platformClientId,
        REEVE_PLATFORM_CLIENT_SECRET: secrets.platformClientSecret,
        REEVE_CONSENT_CLIENT_SECRET: secrets.consentClientSecret,
        REEVE_CONSENT_URL: urls.connectorConsent,
        REEVE_COOKIE_KEYS: secrets.cookieKey,
        // What keeps it below 250 MB with a hundred thousand live sessions; docker-compose.yml says the same.
        MALLOC_ARENA_MAX: '1',
      },
      flags: ['--max-old-space-size=192'],
    },
    provisioning: { port: ports.provisioning, metricsPort: ports.provisioningMetrics, env: {} },
    'connector-consent': {
      port: ports.connectorConsent,
      metricsPort: ports.connectorConsentMetrics,
      env: { REEVE_CONSENT_CLIENT_SECRET: secrets.consentClientSecret, REEVE_CATALOGUE_FILE: catalogue },
    },
    'webhook-ingress': {
      port: ports.webhookIngress,
      metricsPort: ports.webhookIngressMetrics,
      // What keeps it below 200 MB under load (its README); docker-compose.yml says the same.
      env: { MALLOC_ARENA_MAX: '1' },
      flags: ['--max-old-space-size=256'],
    },
    audit: { port: ports.audit, metricsPort: ports.auditMetrics, env: {} },
  };

  const { died, watch } = createDeathWatch();

  function startService(name: ServiceName, { number, port, metricsPort }: Place): Child {
    const { env, flags = [] } = own[name];
    return watch(
      children.start({
        name: number === 0 ? name : `${name}-${number}`,
        layer: 'system',
        command: nodeBinary,
        args: [
          // As in infra/docker/Dockerfile: five services rest in a third less memory, and are as fast.
          '--max-semi-space-size=8',
          ...flags,
          ...(built ? [] : ['--conditions=source']),
          '--disable-warning=ExperimentalWarning',
          // kafkajs hands setTimeout a time in the past; harmless, and not ours to mend.
          '--disable-warning=TimeoutNegativeWarning',
          '--import',
          '@reeve/service-kit/telemetry',
          built ? 'dist/main.js' : 'src/main.ts',
        ],
        cwd: join(repositoryRoot, 'services', name),
        env: {
          ...common,
          ...env,
          ...environmentOf[name],
          PORT: String(port),
          METRICS_PORT: String(metricsPort),
          REEVE_SELF_URL: url(own[name].port),
          MONGODB_DATABASE: `${databasePrefix}_${name.replaceAll('-', '_')}`,
        },
      }),
    );
  }

  function startPeerProcess(name: string, port: number, env: Record<string, string>): Child {
    const file = join(repositoryRoot, 'infra/local/src/peers', `${name}.ts`);
    const args = ['--conditions=source', '--disable-warning=ExperimentalWarning', file];
    return watch(
      children.start({
        name,
        layer: 'system',
        command: nodeBinary,
        args,
        cwd: repositoryRoot,
        env: { ...process.env, ...env, PORT: String(port) },
      }),
    );
  }

  async function ready(address: string, child: Child): Promise<void> {
    const isUp = await waitFor(async () => (await fetch(address, { signal: AbortSignal.timeout(2_000) })).ok, {
      withinMs: startWithinMs,
      abandoned: child.hasExited,
    });
    // Another process may have that port, and answer.
    if (!isUp || child.hasExited()) throw notUp(child);
  }

  async function startInstance(name: ServiceName, number: number): Promise<Instance> {
    const { port, metricsPort } = own[name];
    const isAtUrl = number === 0 && !balanced;
    const place = isAtUrl ? { number, port, metricsPort } : { number, port: await freePort(), metricsPort: 0 };
    return { ...place, child: startService(name, place) };
  }

  const peers = [
    startPeerProcess('demo-idp', ports.demoIdp, {
      CLIENT_ID: idpClientId,
      CLIENT_SECRET: secrets.idpClientSecret,
      REDIRECT_ORIGIN: urls.auth,
      USERS: JSON.stringify(demoUsers),
    }),
    startPeerProcess('demo-oauth-provider', ports.demoOAuth, {
      CLIENT_ID: 'reeve-connector',
      CLIENT_SECRET: secrets.calendarClientSecret,
      REDIRECT_URI: `${urls.connectorConsent}/connect/callback`,
    }),
  ] as const;
  const services = new Map<ServiceName, Instance[]>();
  const balancers = new Map<ServiceName, Balancer>();
  for (const name of serviceNames) {
    if (balanced) balancers.set(name, await startBalancer(own[name].port));
    const numbers = Array.from({ length: instances[name] ?? 1 }, (_, number) => number);
    services.set(name, await Promise.all(numbers.map(number => startInstance(name, number))));
    for (const { port } of services.get(name) ?? []) balancers.get(name)?.add(port);
  }
  const instancesReady = [...services.values()].flat().map(({ port, child }) => ready(`${url(port)}/readyz`, child));
  await Promise.all([
    ready(`${idp}/.well-known/openid-configuration`, peers[0]),
    ready(`${calendar}/.well-known/openid-configuration`, peers[1]),
    ...instancesReady,
  ]);

  const metricsOf = (name: ServiceName) => `${url(own[name].metricsPort)}/metrics`;
  const credentials: Credentials = {
    issuer: urls.auth,
    clientId: platformClientId,
    clientSecret: secrets.platformClientSecret,
    urls,
    metrics: {
      auth: metricsOf('auth'),
      provisioning: metricsOf('provisioning'),
      'connector-consent': metricsOf('connector-consent'),
      'webhook-ingress': metricsOf('webhook-ingress'),
      audit: metricsOf('audit'),
    },
    kafka: engines.kafka,
    mongodb: engines.mongodb,
    demoTenant: 'acme',
    demoUsers: demoUsers.map(({ email, password }) => ({ email, password })),
    demoIdp: { oidc: idp, saml: `${idp}/saml/metadata`, clientId: idpClientId, clientSecret: secrets.idpClientSecret },
  };

  let replaced = 0;

  function instanceOf(name: ServiceName, number: number): Instance {
    const instance = services.get(name)?.[number];
    if (!instance) throw new RangeError(`there is no instance ${number} of ${name}`);
    return instance;
  }
  const pidOf = (name: ServiceName, number = 0) => instanceOf(name, number).child.pid;

  return {
    credentials,
    died,

    async crash(name, number = 0) {
      const instance = instanceOf(name, number);
      await instance.child.kill();
      instance.child = startService(name, instance);
      await ready(`${url(instance.port)}/readyz`, instance.child);
    },

    async replace(name) {
      const [balancer, running] = [balancers.get(name), services.get(name) ?? []];
      const [old, ...others] = running;
      if (!balancer || !old) throw new RangeError(`${name} is not balanced`);
      replaced += 1;
      const next = await startInstance(name, running.length + replaced);
      await ready(`${url(next.port)}/readyz`, next.child);
      balancer.add(next.port);
      services.set(name, [...others, next]);
      await sleep(bothServeForMs);
      await balancer.takeOut(old.port);
      await old.child.stop();
    },

    pause: (name, number) => void process.kill(pidOf(name, number), 'SIGSTOP'),
    resume: (name, number) => void process.kill(pidOf(name, number), 'SIGCONT'),
    pidOf,
    urlsOf: name => (services.get(name) ?? []).map(({ port }) => url(port)),

    async stop() {
      const running = [...services.values()].flat().map(({ child }) => child);
      await Promise.all([...running, ...peers].map(child => child.stop()));
      await Promise.all([...balancers.values()].map(balancer => balancer.stop()));
    },
  };
}

function demoCatalogue(calendar: string, clientSecret: string) {
  return [
    {
      id: 'demo-calendar',
      name: 'Demo Calendar',
      publisher: 'Reeve demo',
      review: 'approved',
      oauth: { issuer: calendar, clientId: 'reeve-connector', clientSecret },
      scopes: [
        { id: 'calendar.read', meaning: 'See the events in your calendar' },
        { id: 'calendar.write', meaning: 'Add and change events in your calendar' },
      ],
      cannot: ['See your password', 'Read messages in your workspaces'],
      eventTypes: ['calendar.event.created', 'calendar.event.updated'],
      consentDays: 90,
    },
  ];
}
