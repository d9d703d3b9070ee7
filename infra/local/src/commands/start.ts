// `npm start`: engines, services and demo peers, with a demo tenant, until Ctrl-C.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import colors from 'picocolors';
import { createChildren } from '../children.ts';
import { startEngines } from '../engines/engines.ts';
import { localDirectory } from '../paths.ts';
import { portsFromEnvironment } from '../ports.ts';
import { seedTenant } from '../seed.ts';
import { SetupError } from '../setup-error.ts';
import { startSystem } from '../system.ts';

const say = (line: string) => console.log(`${colors.dim('reeve:')} ${line}`);
const began = Date.now();
mkdirSync(localDirectory, { recursive: true });
const children = createChildren(localDirectory);

let stopping: Promise<void> | undefined;
function stop(code: number): Promise<void> {
  stopping ??= (async () => {
    say('stopping …');
    // Services first, so that what they hold reaches the engines; createChildren ends whatever is left.
    await system?.stop();
    await engines?.stop();
    await children.stopAll();
    say('stopped; the data is kept in .local/');
    process.exit(code);
  })();
  return stopping;
}
process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));

let engines: Awaited<ReturnType<typeof startEngines>> | undefined;
let system: Awaited<ReturnType<typeof startSystem>> | undefined;
try {
  const left = await children.endLeftovers();
  if (left.length > 0) say(`ended what an earlier run had left behind: ${left.join(', ')}`);
  const ports = portsFromEnvironment(process.env);
  engines = await startEngines({
    children,
    ports,
    directory: join(localDirectory, 'data'),
    environment: process.env,
    say,
  });
  say('starting five services and two demo peers …');
  system = await startSystem({ children, engines, ports, directory: localDirectory });
  const { credentials } = system;
  await seedTenant(credentials, { slug: credentials.demoTenant, name: 'Acme' });
  const file = join(localDirectory, 'credentials.json');
  writeFileSync(file, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
  say(`ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
  const { urls, demoIdp, demoTenant, demoUsers } = credentials;
  const lines = [
    ['auth', urls.auth],
    ['provisioning', urls.provisioning],
    ['connector-consent', urls.connectorConsent],
    ['webhook-ingress', urls.webhookIngress],
    ['audit', urls.audit],
    ['demo identity provider', demoIdp.oidc],
    ['demo tenant', `${demoTenant}, with ${demoUsers.map(({ email }) => email).join(', ')}`],
    ['credentials', '.local/credentials.json'],
    ['logs', '.local/logs/'],
  ];
  for (const [name, value] of lines) console.log(`  ${(name ?? '').padEnd(24)}${colors.cyan(value ?? '')}`);
  say('next: `npm run demo` in another terminal walks through it. Ctrl-C stops everything.');
  await Promise.race([system.died, engines.died]);
} catch (error) {
  if (stopping) await stopping;
  console.error(
    `${colors.red('reeve:')} ${error instanceof SetupError ? error.message : error instanceof Error ? error.stack : String(error)}`,
  );
  await stop(1);
}
