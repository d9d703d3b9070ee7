// An installation in a real cluster, from nothing to nothing: each test goes on where the one before it has stopped.
// `npm run test:cluster` has made the namespace, and removes it.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect } from '@jest/globals';
import { createChildren } from '@reeve/local/children';
import { send, signedWebhook } from '@reeve/local/partner';
import { repositoryRoot } from '@reeve/local/paths';
import { type ProductApp, refresh, registerProductApp, signIn } from '@reeve/local/product-app';
import { type Credentials, serviceNames } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';
import { auditKeys, exportLines } from '../support/audit.ts';
import { reeve } from '../support/cli.ts';
import { demoUser, freshTenant, type TestTenant } from '../support/running-system.ts';
import {
  clusterUnderTest,
  connectionsFrom,
  helm,
  kubectl,
  kubectlEnds,
  note,
  objectsOfRelease,
  podsOfRelease,
  ready,
  release,
  step,
} from './cluster.ts';
import { type Load, type Requests, underLoad } from './load.ts';
import { installEngines, installOutside, makeSecrets, primary, valuesFor } from './surroundings.ts';

const cluster = clusterUnderTest();
const directory = mkdtempSync(join(tmpdir(), 'reeve-cluster-'));
const children = createChildren(directory);
const chart = join(repositoryRoot, 'infra/helm/reeve');
const { namespace, ports } = cluster;

let credentials: Credentials;
let own: TestTenant;
let app: ProductApp;
let endpoint: { url: string; secret: string };
/** Ids of every webhook that was answered with 202. */
const accepted: string[] = [];

afterAll(() => children.stopAll());

function file(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

const install = (replicas: number, ...further: string[]) => {
  const values = file('values.json', JSON.stringify(valuesFor(cluster, replicas)));
  return helm('upgrade', release, chart, '--install', `--values=${values}`, '--wait', '--timeout=6m', ...further);
};

const uidsOf = (pods: readonly { uid: string }[]) => new Set(pods.map(({ uid }) => uid));
const signedIn = () => signIn(app, own.tenant, demoUser(credentials));

async function deliver(): Promise<void> {
  const response = await send(endpoint.url, signedWebhook(endpoint.secret, { happened: 'in the cluster' }));
  if (response.status !== 202) throw new Error(`${response.status} ${await response.text()}`);
  const { id } = (await response.json()) as { id: string };
  accepted.push(id);
}

/** Something of every service, and a whole sign-in, which takes two of them. */
const everything = (): Requests => {
  const { provisioning, connectorConsent, audit } = credentials.urls;
  const read = (url: string) => async () => void (await own.api.get(url));
  const tenant = `/v1/tenants/${own.tenant.id}`;
  return {
    'a sign-in': async () => void (await signedIn()),
    'the discovery document': async () => {
      const { ok, status } = await fetch(`${credentials.issuer}/.well-known/openid-configuration`);
      if (!ok) throw new Error(String(status));
    },
    users: read(`${provisioning}${tenant}/users`),
    installations: read(`${connectorConsent}${tenant}/installations`),
    checkpoints: read(`${audit}${tenant}/audit/checkpoints`),
    'a webhook': deliver,
  };
};

const noneFailed = ({ sent, failures }: Load) => {
  note(`${sent} requests, ${failures.length} failed`);
  expect(failures).toEqual([]);
  expect(sent).toBeGreaterThan(50);
};

const everyService = (host: (name: string) => string) => serviceNames.map(name => host(name));

const foundation = (title: string, body: () => Promise<void>) => step(title, body, { othersStandOnIt: true });

describe('an installation', () => {
  foundation('Kafka with TLS and SCRAM and a replica set of three run in a restricted namespace', async () => {
    await installEngines(cluster);
    credentials = await makeSecrets(cluster);
    await installOutside(cluster);
    const privileged = ['--image=busybox', '--privileged', '--restart=Never'];
    const refused = await kubectlEnds('run', 'root', ...privileged);
    expect(refused).toMatchObject({ code: 1, out: expect.stringContaining('restricted') });
  });

  foundation('the chart installs, and every pod of it is ready', async () => {
    await install(1);
    await ready(1, serviceNames);
    note(await kubectl('get', 'pods', '-o', 'wide'));
  });

  step('helm test passes', async () => {
    note(await helm('test', release, '--logs', '--timeout=3m'));
  });

  foundation('a person signs in from outside, with PKCE, at an identity provider on a private address', async () => {
    const args = Object.values(ports).map(port => `${port}:${port}`);
    children.start({
      name: 'port-forward',
      layer: 'tests',
      command: 'kubectl',
      args: ['--namespace', namespace, 'port-forward', 'pod/outside', ...args],
      cwd: repositoryRoot,
      env: process.env,
    });
    await eventually('an answer from the cluster', () =>
      fetch(`${credentials.issuer}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    own = await freshTenant(credentials, 'cluster');
    app = await registerProductApp(own.api, credentials, own.tenant);
    const { claims, tokens } = await signedIn();
    expect(claims).toMatchObject({ iss: credentials.issuer, tid: own.tenant.id, email: 'alice@acme.example' });
    const refreshed = await refresh(app, String(tokens.refresh_token));
    expect(refreshed.refresh_token).not.toBe(tokens.refresh_token);
  });

  foundation('a webhook is taken once, and a forged one never', async () => {
    const base = `${credentials.urls.webhookIngress}/v1/tenants/${own.tenant.id}/webhook-endpoints`;
    endpoint = await own.api.post<{ url: string; secret: string }>(base, { connectorId: 'partner' });
    const webhook = signedWebhook(endpoint.secret, { happened: 'once' });
    const first = await send(endpoint.url, webhook);
    expect(first.status).toBe(202);
    accepted.push(((await first.json()) as { id: string }).id);
    expect((await send(endpoint.url, webhook)).status).toBe(200);
    expect((await send(endpoint.url, { ...webhook, id: 'msg_forged' })).status).toBe(401);
  });

  step('the export of the audit log verifies offline, and not with a line less', verifyExport);

  step('connections that the network policies allow are taken, and no others', async () => {
    const http = everyService(name => `${release}-${name}:80`);
    const metrics = everyService(name => `${release}-${name}:9464`);
    const engines = ['kafka:9093', 'mongodb-0.mongodb:27017'];
    const api = 'kubernetes.default.svc:443';
    const provider = `outside:${ports.provider}`;
    const pods = await podsOfRelease();
    const podOf = (service: string) => pods.find(pod => pod.service === service)?.name ?? '';
    const all = (targets: readonly string[], areTaken: boolean) =>
      Object.fromEntries(targets.map(target => [target, areTaken]));

    // Policies are not at work the moment that a pod is there.
    const settled = (pod: string, taken: readonly string[], refused: readonly string[]) =>
      eventually(
        `of ${pod} that it reaches ${taken.join(', ')} and not ${refused.join(', ')}`,
        async () => {
          const found = await connectionsFrom(pod, [...taken, ...refused]);
          const wanted = { ...all(taken, true), ...all(refused, false) };
          return Object.entries(wanted).every(([target, is]) => found[target] === is);
        },
        60_000,
      );

    await settled('outside', http, metrics);
    // It has a network: the engines, which no policy of the release is about, answer.
    await settled('stranger', [...engines, api, provider], [...http, ...metrics]);
    const auth = `${release}-auth:80`;
    const audit = `${release}-audit:80`;
    await settled(podOf('auth'), [...engines, `${release}-provisioning:80`, provider], [audit, api]);
    for (const service of ['provisioning', 'connector-consent', 'webhook-ingress', 'audit'])
      await settled(podOf(service), [...engines, auth], [`${release}-provisioning:80`, provider, api]);
    note(`from stranger: ${JSON.stringify(await connectionsFrom('stranger', [...engines, ...http]))}`);
  });

  step('an upgrade replaces every pod, and no request fails meanwhile', async () => {
    const before = uidsOf(await podsOfRelease());
    const load = await underLoad(everything(), async () => {
      await install(1, '--set=settings.REEVE_PRODUCT_NAME=Upgraded');
      await ready(1, serviceNames);
    });
    noneFailed(load);
    expect((await podsOfRelease()).filter(({ uid }) => before.has(uid))).toEqual([]);
    expect(JSON.parse(await helm('history', release, '--output=json'))).toHaveLength(2);
  });

  step('a rollback replaces every pod again, and no request fails meanwhile', async () => {
    const before = uidsOf(await podsOfRelease());
    const load = await underLoad(everything(), async () => {
      await helm('rollback', release, '1', '--wait', '--timeout=6m');
      await ready(1, serviceNames);
    });
    noneFailed(load);
    expect((await podsOfRelease()).filter(({ uid }) => before.has(uid))).toEqual([]);
  });

  step('three of each service run over the same engines', async () => {
    const load = await underLoad(everything(), async () => {
      await install(3);
      await ready(3, serviceNames);
    });
    noneFailed(load);
    note(await kubectl('get', 'deployments'));
  });

  step('a node that is drained takes one of each service at a time, and no request fails', async () => {
    const [first] = await podsOfRelease();
    const node = first?.node ?? '';
    const isAlone = (await podsOfRelease()).every(pod => pod.node === node);
    const ofRelease = `--pod-selector=app.kubernetes.io/instance=${release}`;
    let fewest = Number.POSITIVE_INFINITY;
    let isDrained = false;
    async function watch(): Promise<void> {
      while (!isDrained) {
        const pods = (await podsOfRelease()).filter(({ isReady, isEnding }) => isReady && !isEnding);
        for (const name of serviceNames)
          fewest = Math.min(fewest, pods.filter(({ service }) => service === name).length);
      }
    }
    const load = await underLoad(everything(), async () => {
      const watching = watch();
      try {
        const { code, out } = await kubectlEnds('drain', node, ofRelease, '--delete-emptydir-data', '--timeout=40s');
        note(out.trim().split('\n').slice(-4).join('\n'));
        // Where there is no other node, the next one has nowhere to go.
        if (isAlone)
          expect({ code, out }).toMatchObject({ code: 1, out: expect.stringContaining('disruption budget') });
        else expect(code).toBe(0);
      } finally {
        isDrained = true;
        await watching;
        await kubectl('uncordon', node);
      }
      await ready(3, serviceNames);
    });
    note(`at the fewest, ${fewest} of a service were ready`);
    expect(fewest).toBe(2);
    noneFailed(load);
  });

  step('a pod of each service is killed, and comes back', async () => {
    for (const name of serviceNames) {
      const pod = (await podsOfRelease()).find(({ service }) => service === name)?.name ?? '';
      const load = await underLoad(everything(), async () => {
        await kubectl('delete', 'pod', pod, '--grace-period=0', '--force');
        await ready(3, serviceNames);
      });
      note(`${name}: ${load.sent} requests, ${load.failures.length} failed: ${load.failures.slice(0, 2).join('; ')}`);
    }
    noneFailed(await underLoad(everything(), seconds(5)));
  });

  step('the primary of MongoDB is killed, and another one goes on', async () => {
    const was = await primary();
    const restarts = await restartsOfRelease();
    const load = await underLoad(everything(), async () => {
      await kubectl('delete', 'pod', was, '--grace-period=0', '--force');
      note(`${was} was the primary, then ${await primary(was)}`);
      await kubectl('rollout', 'status', 'statefulset/mongodb', '--timeout=4m');
      await ready(3, serviceNames);
      await eventually(
        'an end of failures',
        async () => {
          const { failures } = await underLoad(everything(), seconds(3));
          return failures.length === 0;
        },
        120_000,
      );
    });
    note(`${load.sent} requests, ${load.failures.length} failed: ${load.failures.slice(0, 3).join('; ')}`);
    noneFailed(await underLoad(everything(), seconds(5)));
    expect(await restartsOfRelease()).toEqual(restarts);
  });

  step('every webhook that was taken is in the audit log, which verifies', async () => {
    const missing = await eventually(
      'every webhook in the log',
      async () => {
        const log = (await exportLines(own.api, credentials, own.tenant)).join('\n');
        return accepted.filter(id => !log.includes(id)).length === 0 ? 'none' : null;
      },
      120_000,
    );
    note(`${accepted.length} webhooks, missing: ${missing}`);
    await verifyExport();
  });

  step('uninstalling leaves nothing of the chart, and what was there before', async () => {
    expect((await objectsOfRelease()).length).toBeGreaterThan(40);
    await helm('uninstall', release, '--wait', '--timeout=3m');
    await eventually('nothing of the release', async () => (await objectsOfRelease()).length === 0, 120_000);
    expect(JSON.parse(await helm('list', '--output=json'))).toEqual([]);
    const left = await kubectl('get', 'secrets,statefulsets,persistentvolumeclaims', '-o', 'name');
    expect(left.trim().split('\n')).toEqual(
      expect.arrayContaining(['secret/reeve', 'statefulset.apps/kafka', 'persistentvolumeclaim/data-mongodb-0']),
    );
  });
});

const seconds = (count: number) => () => new Promise<void>(resolve => setTimeout(resolve, count * 1_000));

async function restartsOfRelease(): Promise<string> {
  const path = '{range .items[*]}{.metadata.name} {.status.containerStatuses[*].restartCount}{"\\n"}{end}';
  return kubectl('get', 'pods', '-l', `app.kubernetes.io/instance=${release}`, '-o', `jsonpath=${path}`);
}

async function verifyExport(): Promise<void> {
  const keys = file('keys.json', JSON.stringify(await auditKeys(credentials)));
  const lines = await exportLines(own.api, credentials, own.tenant);
  const whole = await reeve(['audit', 'verify', file('whole.ndjson', lines.join('\n')), '--keys', keys]);
  expect(whole).toMatchObject({ code: 0, out: expect.stringMatching(/up to checkpoint \d+ of .* signed/) });
  note(whole.out.trim().split('\n').slice(-2).join('\n'));
  const cut = await reeve(['audit', 'verify', file('cut.ndjson', lines.slice(0, -1).join('\n')), '--keys', keys]);
  expect(cut).toMatchObject({ code: 1, out: expect.stringContaining('truncated') });
}
