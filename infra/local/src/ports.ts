import { createServer } from 'node:net';
import { SetupError } from './setup-error.ts';

export type Ports = {
  auth: number;
  provisioning: number;
  connectorConsent: number;
  webhookIngress: number;
  audit: number;
  demoIdp: number;
  demoOAuth: number;
  kafka: number;
  kafkaController: number;
  mongodb: number;
};

const standard: Ports = {
  auth: 4001,
  provisioning: 4002,
  connectorConsent: 4003,
  webhookIngress: 4004,
  audit: 4005,
  demoIdp: 4010,
  demoOAuth: 4011,
  kafka: 9092,
  kafkaController: 9093,
  mongodb: 27017,
};

/** `connectorConsent` is moved by REEVE_CONNECTOR_CONSENT_PORT. */
export const portVariable = (name: string) =>
  `REEVE_${name.replaceAll(/[A-Z]+/g, part => `_${part}`).toUpperCase()}_PORT`;

export function portsFromEnvironment(environment: NodeJS.ProcessEnv): Ports {
  const entries = Object.entries(standard).map(([name, port]) => {
    const given = environment[portVariable(name)];
    if (given !== undefined && !/^\d{1,5}$/.test(given))
      throw new SetupError(`${portVariable(name)} is not a port number: ${given}`);
    return [name, given === undefined ? port : Number(given)];
  });
  return Object.fromEntries(entries) as Ports;
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

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** For tests: ports that were free a moment ago. */
export async function freePorts(): Promise<Ports> {
  const names = Object.keys(standard);
  const found = await Promise.all(names.map(freePort));
  return Object.fromEntries(names.map((name, index) => [name, found[index]])) as Ports;
}
