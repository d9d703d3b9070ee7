// Keycloak as a process on this machine, from Maven Central: somebody else's identity provider, for
// `npm run test:peers`, and what a sign-in of ours is measured against. Whoever tests makes a realm, by its admin API.
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, type Children, notUp } from '../children.ts';
import { fetchByMaven, fetchedInto } from '../engines/maven.ts';
import { startWithinMs, waitFor } from '../wait-for.ts';

/** Where it is, and the client of its realm `master` that may do everything. */
export type Keycloak = { url: string; clientId: string; clientSecret: string };

type Options = {
  port: number;
  say: (line: string) => void;
  /** As somebody runs it for their people, with a PostgreSQL (JDBC, with user and password). In memory otherwise. */
  postgres?: string;
};

const clientId = 'reeve-tests';
const folder = 'keycloak';

/** Throws SetupError where there is no Java, or no Maven to fetch it with. */
export async function startKeycloak(
  children: Children,
  { port, say, postgres }: Options,
): Promise<{ keycloak: Keycloak; child: Child }> {
  await fetchByMaven(children, { folder, name: 'Keycloak', goal: 'unpack-dependencies' }, say);
  const home = join(fetchedInto(folder), readdirSync(fetchedInto(folder)).find(isDistribution) ?? '');
  const keycloak = { url: `http://localhost:${port}`, clientId, clientSecret: randomBytes(24).toString('base64url') };
  const child = children.start({
    name: 'keycloak',
    layer: 'system',
    command: join(home, 'bin/kc.sh'),
    args: [
      ...(postgres === undefined ? forTests : forPeople(postgres)),
      '--http-host=127.0.0.1',
      `--http-port=${port}`,
    ],
    cwd: home,
    env: {
      ...process.env,
      KC_BOOTSTRAP_ADMIN_CLIENT_ID: keycloak.clientId,
      KC_BOOTSTRAP_ADMIN_CLIENT_SECRET: keycloak.clientSecret,
      JAVA_OPTS: undefined,
      ...(postgres === undefined ? shortLived : {}),
    },
  });
  const discovery = `${keycloak.url}/realms/master/.well-known/openid-configuration`;
  const isUp = await waitFor(async () => (await fetch(discovery, { signal: AbortSignal.timeout(5_000) })).ok, {
    withinMs: startWithinMs,
    abandoned: child.hasExited,
  });
  if (isUp && !child.hasExited()) return { keycloak, child };
  await child.kill();
  throw notUp(child);
}

const transmitter = '--spi-ssf-transmitter--default';
/** With Shared Signals, which are told at once, and on this machine too. */
const forTests = [
  'start-dev',
  '--db=dev-mem',
  '--features=ssf',
  `${transmitter}--outbox-drainer-interval=200ms`,
  `${transmitter}--allow-insecure-push-targets=true`,
];
const forPeople = (postgres: string): string[] => [
  'start',
  '--http-enabled=true',
  '--hostname-strict=false',
  '--cache=local',
  '--db=postgres',
  `--db-url=${postgres}`,
];
/** What would make it fast after ten minutes is not worth its time where it lives for one. */
const shortLived = { JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m', JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1' };

const isDistribution = (name: string) => name.startsWith('keycloak-');
