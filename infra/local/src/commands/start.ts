// `npm start`: engines, services and demo peers, with a demo tenant, until Ctrl-C.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import colors from 'picocolors';
import { commandLine } from '../command-line.ts';
import { startComposeEngines } from '../engines/docker.ts';
import { startEngines } from '../engines/engines.ts';
import { endLeftovers } from '../leftovers.ts';
import { localDirectory } from '../paths.ts';
import { portsFromEnvironment } from '../ports.ts';
import { run } from '../run.ts';
import { seedTenant } from '../seed.ts';
import { type Credentials, startSystem } from '../system.ts';
import { engineVariables, portTable, systemVariables } from '../variables.ts';

commandLine('npm start', {
  does:
    'Starts Kafka and MongoDB, the five services, a demo identity provider and a demo connector, with a demo tenant. ' +
    'Ctrl-C stops everything. What it keeps is in .local/; credentials for tools are in .local/credentials.json.',
  variables: [
    ['Engines', engineVariables],
    ['Ports', portTable],
    ['Services (docs/configuration.md has the rest)', systemVariables],
  ],
}).parse();

const began = Date.now();
mkdirSync(localDirectory, { recursive: true });

await run(
  {
    directory: localDirectory,
    runsUntilStopped: true,
    leave: (_, say) => say('stopped; the data is kept in .local/'),
  },
  async ({ children, say, own }) => {
    const left = await endLeftovers(join(localDirectory, 'processes.json'));
    if (left.length > 0) say(`ended what an earlier run had left behind: ${left.join(', ')}`);
    const ports = portsFromEnvironment(process.env);
    const engines = await own(
      startEngines({
        children,
        ports,
        directory: join(localDirectory, 'data'),
        environment: process.env,
        say,
        containers: startComposeEngines,
      }),
    );
    say('starting five services and two demo peers …');
    const { credentials, died } = await own(startSystem({ children, engines, ports, directory: localDirectory }));
    await seedTenant(credentials, { slug: credentials.demoTenant, name: 'Acme' });
    const file = join(localDirectory, 'credentials.json');
    writeFileSync(file, `${JSON.stringify(credentials, null, 2)}\n`, { mode: 0o600 });
    say(`ready after ${((Date.now() - began) / 1000).toFixed(1)} s`);
    describe(credentials);
    say('next: `npm run demo` in another terminal walks through it. Ctrl-C stops everything.');
    return Promise.race([died, engines.died]);
  },
);

function describe({ urls, demoIdp, demoTenant, demoUsers }: Credentials): void {
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
}
