// Who may speak to whom, as NetworkPolicies add up: both ends have to allow it.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { repositoryRoot } from '@reeve/local/paths';
import { type ServiceName, serviceNames } from '@reeve/local/system';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { chart, type KubernetesObject, one, render } from './chart.test-support.ts';

const selector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).optional(),
  matchExpressions: z
    .array(z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()) }))
    .optional(),
});
const peer = z.strictObject({
  podSelector: selector.optional(),
  namespaceSelector: selector.optional(),
  ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()).optional() }).optional(),
});
const port = z.strictObject({
  port: z.union([z.string(), z.number()]),
  endPort: z.number().optional(),
  protocol: z.enum(['TCP', 'UDP']),
});
const policySchema = z.strictObject({
  podSelector: selector,
  policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
  ingress: z.array(z.strictObject({ ports: z.array(port), from: z.array(peer) })).optional(),
  egress: z.array(z.strictObject({ ports: z.array(port), to: z.array(peer).optional() })).optional(),
});
type Policy = z.infer<typeof policySchema>;
type Egress = NonNullable<Policy['egress']>[number];
type Peer = z.infer<typeof peer>;

const component = 'app.kubernetes.io/component';

function policyOf(name: string, objects: readonly KubernetesObject[]): Policy {
  const isIts = ({ kind, metadata }: KubernetesObject) => kind === 'NetworkPolicy' && metadata.name === `reeve-${name}`;
  return policySchema.parse(one(objects.filter(isIts))['spec']);
}

/** Whether it is a pod of the release, of that component. */
function isPod(name: string, { podSelector, namespaceSelector }: Peer): boolean {
  if (podSelector === undefined || namespaceSelector !== undefined) return false;
  const labels: Record<string, string> = {
    'app.kubernetes.io/name': 'reeve',
    'app.kubernetes.io/instance': 'reeve',
    [component]: name,
  };
  return (
    Object.entries(podSelector.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
    (podSelector.matchExpressions ?? []).every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}

const hasPort = (ports: readonly z.infer<typeof port>[], wanted: string | number) =>
  ports.some(
    ({ port: first, endPort = first, protocol }) =>
      protocol === 'TCP' &&
      (first === wanted || (Number(first) <= Number(wanted) && Number(wanted) <= Number(endPort))),
  );

/** Which components call which at their HTTP port. */
function callsIn(objects: readonly KubernetesObject[]): string[] {
  const callers = [...serviceNames, 'test'];
  return callers.flatMap(caller =>
    serviceNames
      .filter(
        called =>
          policyOf(caller, objects).egress?.some(
            ({ ports, to }) => hasPort(ports, 'http') && to?.some(each => isPod(called, each)),
          ) &&
          policyOf(called, objects).ingress?.some(
            ({ ports, from }) => hasPort(ports, 'http') && from.some(each => isPod(caller, each)),
          ),
      )
      .map(called => `${caller} → ${called}`),
  );
}

function isWithin(address: string, cidr: string): boolean {
  const parsed = ipaddr.parse(address);
  const [network, bits] = ipaddr.parseCIDR(cidr);
  return parsed.kind() === network.kind() && parsed.match(network, bits);
}

const reaches = ({ ports, to }: Egress, address: string, wanted: number) =>
  hasPort(ports, wanted) &&
  (to ?? []).some(
    ({ ipBlock }) =>
      ipBlock !== undefined &&
      isWithin(address, ipBlock.cidr) &&
      !ipBlock.except?.some(each => isWithin(address, each)),
  );

/** The services that reach an address. */
const whoReaches = (objects: readonly KubernetesObject[], address: string, wanted = 443) =>
  serviceNames.filter(name => policyOf(name, objects).egress?.some(rule => reaches(rule, address, wanted)));

/** Services whose sources say it, tests apart. */
function whoseSourcesSay(what: string): ServiceName[] {
  const saysIt = (name: ServiceName) =>
    globSync(`services/${name}/src/**/*.ts`, { cwd: repositoryRoot }).some(
      file => !file.includes('.test') && readFileSync(join(repositoryRoot, file), 'utf8').includes(what),
    );
  return serviceNames.filter(saysIt);
}

chart.describe('pods of the release', () => {
  test('are spoken to, and speak, as the policies open it and not otherwise', () => {
    const { ingress, egress, podSelector, policyTypes } = policyOf('default-deny', render('minimal'));
    expect({ ingress, egress, policyTypes }).toEqual({ policyTypes: ['Ingress', 'Egress'] });
    expect([...serviceNames, 'test'].every(name => isPod(name, { podSelector }))).toBe(true);
    for (const name of serviceNames)
      expect(policyOf(name, render('minimal')).policyTypes).toEqual(['Ingress', 'Egress']);
  });

  test('call whom the code calls', () => {
    expect(whoseSourcesSay('REEVE_PROVISIONING_ADDRESS')).toEqual(['auth']);
    expect(callsIn(render('minimal')).toSorted()).toEqual(
      [
        // Every service fetches the keys of the issuer, auth for its own routes too.
        ...serviceNames.map(name => `${name} → auth`),
        'auth → provisioning',
        ...serviceNames.map(name => `test → ${name}`),
      ].toSorted(),
    );
  });

  test('control: what one end alone allows is no call', () => {
    const objects = structuredClone(render('minimal'));
    const policy = one(
      objects.filter(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === 'reeve-auth'),
    );
    (policy['spec'] as Policy).ingress = [];
    expect(callsIn(objects).filter(call => call.endsWith('→ auth'))).toEqual([]);
    expect(callsIn(objects)).toContain('auth → provisioning');
  });

  test('are called from outside by those who are named, and by nobody where nobody is', () => {
    const outside = (example: string, setJson: string[] = []) =>
      serviceNames.flatMap(name =>
        policyOf(name, render(example, { setJson })).ingress?.flatMap(({ from }) =>
          from.filter(each => !each.podSelector),
        ),
      );
    expect(outside('minimal', ['networkPolicy.clients=[]'])).toEqual([]);
    expect(outside('minimal')).toHaveLength(serviceNames.length);
    expect(outside('ha')).toHaveLength(2 * serviceNames.length);
  });
});

chart.describe('the internet', () => {
  test('is reached by those services alone whose tenants name places in it', () => {
    const guarded = whoseSourcesSay('@reeve/service-kit/outbound');
    expect(guarded).toEqual(['auth', 'connector-consent', 'audit']);
    for (const address of ['93.184.216.34', '2606:2800:220:1::1'])
      expect(whoReaches(render('minimal'), address)).toEqual(guarded);
    expect(whoReaches(render('minimal'), '93.184.216.34', 6514)).toEqual(guarded);
  });

  test.each([
    '10.1.2.3',
    '172.20.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '127.0.0.1',
    'fd00::1',
    'fe80::1',
  ])('is not %s', address => expect(whoReaches(render('minimal'), address)).toEqual([]));

  test('is reached by nobody where it is shut', () => {
    expect(whoReaches(render('air-gapped'), '93.184.216.34')).toEqual([]);
  });
});

chart.describe('networks inside', () => {
  const opened = (...networks: string[]) => render('minimal', { set: [`allowedNetworks={${networks.join(',')}}`] });

  test('are opened to the service of their purpose, as docs/configuration.md says which', () => {
    const table = readFileSync(join(repositoryRoot, 'docs/configuration.md'), 'utf8');
    const purposes = [...table.matchAll(/^\| `([a-z_]+)` \|.*\| ([a-z-]+) \|$/gm)].map(([, purpose, name]) => ({
      purpose,
      name,
    }));
    expect(purposes).toHaveLength(4);
    for (const { purpose, name } of purposes) {
      expect(whoReaches(opened(`${purpose}=10.20.0.0/16`), '10.20.3.4')).toEqual([name]);
      expect(whoReaches(opened(`${purpose}=10.20.0.0/16`), '10.21.3.4')).toEqual([]);
    }
  });

  test('without a purpose are opened to all who have one; an address is a network of its own', () => {
    expect(whoReaches(opened('10.20.0.7', 'fd00::7'), '10.20.0.7')).toEqual(['auth', 'connector-consent', 'audit']);
    expect(whoReaches(opened('10.20.0.7', 'fd00::7'), 'fd00::7')).toEqual(['auth', 'connector-consent', 'audit']);
    expect(whoReaches(opened('10.20.0.7', 'fd00::7'), '10.20.0.8')).toEqual([]);
  });

  test('a host is nothing that a policy knows', () => {
    expect(whoReaches(opened('sinks=siem.corp.example'), '10.20.0.7')).toEqual([]);
  });
});

chart.describe('Kafka and MongoDB', () => {
  test('are reached where they are said to be, at their ports, by every service', () => {
    const objects = render('managed-kafka');
    expect(whoReaches(objects, '10.80.0.5', 9098)).toEqual([...serviceNames]);
    expect(whoReaches(objects, '10.80.8.5', 27_017)).toEqual([...serviceNames]);
    expect(whoReaches(objects, '10.80.0.5', 27_017)).toEqual([]);
    expect(whoReaches(objects, '10.90.0.5', 9098)).toEqual([]);
  });
});
