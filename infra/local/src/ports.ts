import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { SetupError } from './setup-error.ts';

const standard = {
  auth: 4001,
  provisioning: 4002,
  connectorConsent: 4003,
  webhookIngress: 4004,
  audit: 4005,
  authMetrics: 9464,
  provisioningMetrics: 9465,
  connectorConsentMetrics: 9466,
  webhookIngressMetrics: 9467,
  auditMetrics: 9468,
  demoIdp: 4010,
  demoOAuth: 4011,
  kafka: 9092,
  kafkaController: 9093,
  mongodb: 27017,
};

type PortName = keyof typeof standard;
export type Ports = Record<PortName, number>;

const portNames = Object.keys(standard) as PortName[];

/** `connectorConsent` is moved by REEVE_CONNECTOR_CONSENT_PORT. */
const portVariable = (name: string) => `REEVE_${name.replaceAll(/[A-Z]+/g, part => `_${part}`).toUpperCase()}_PORT`;

/** Every variable that moves a port, with the port without it. */
export const portVariables = portNames.map(name => ({ name, variable: portVariable(name), port: standard[name] }));

const portsBy = (portOf: (name: PortName) => number) =>
  Object.fromEntries(portNames.map(name => [name, portOf(name)])) as Ports;

export function portsFromEnvironment(environment: NodeJS.ProcessEnv): Ports {
  return portsBy(name => {
    const variable = portVariable(name);
    const given = environment[variable] ?? '';
    if (given === '') return standard[name];
    if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535)
      throw new SetupError(`${variable} is not a port number: ${given}`);
    return Number(given);
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, () => probe.close(() => resolve(true)));
  });
}

/** Throws SetupError naming the first port that is taken and how to move it. */
export async function assertFree(ports: Partial<Ports>): Promise<void> {
  for (const [name, port] of Object.entries(ports)) {
    if (await isFree(port)) continue;
    throw new SetupError(
      `port ${port} (${name}) is taken by another process. Stop that process, or set ${portVariable(name)} to a free port.`,
    );
  }
}

// Below those that systems give to outgoing connections: one of these could take a port before its process listens.
const [lowest, highest] = [20_000, 32_000];

/** Some are handed out long before anybody listens there. */
const handedOut = new Set<number>();

/** For tests: a port that was free a moment ago, and is nobody else's in this process. */
export async function freePort(): Promise<number> {
  const port = randomInt(lowest, highest);
  if (handedOut.has(port)) return freePort();
  handedOut.add(port);
  return (await isFree(port)) ? port : freePort();
}

/** The same for all of them, each another one. */
export async function freePorts(): Promise<Ports> {
  const free = await Promise.all(portNames.map(() => freePort()));
  return portsBy(name => free[portNames.indexOf(name)] ?? 0);
}
