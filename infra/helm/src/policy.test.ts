// What every object of every example holds to, whatever the values are: the restricted profile of Pod Security, images
// that stay what they are, bounds, no token of the API, a network policy and a budget for each service.
import { expect, test } from '@jest/globals';
import { serviceNames } from '@reeve/local/system';
import {
  chart,
  deploymentsOf,
  examples,
  type KubernetesObject,
  one,
  type Pod,
  podsOf,
  render,
} from './chart.test-support.ts';

type Rule = {
  says: string;
  isBroken: (pod: Pod) => boolean;
  /** The control: does to a pod what the rule is against. */
  breakIt: (pod: Pod) => unknown;
};

/** Of Kubernetes' restricted profile, "Volume Types". */
const volumeTypes = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'persistentVolumeClaim', 'projected'];
const isAllowedVolume = (volume: object) => Object.keys(volume).some(key => [...volumeTypes, 'secret'].includes(key));
const container = (pod: Pod) => one(pod.containers);
const securityOf = (pod: Pod) => container(pod).securityContext ?? {};

const rules: Rule[] = [
  {
    says: 'runs as nobody who could be root',
    isBroken: ({ securityContext: own = {} }) => own['runAsNonRoot'] !== true || !((own['runAsUser'] as number) > 0),
    breakIt: pod => Object.assign(pod.securityContext ?? {}, { runAsUser: 0 }),
  },
  {
    says: 'has the seccomp profile of the runtime',
    isBroken: pod => JSON.stringify(pod.securityContext?.['seccompProfile']) !== '{"type":"RuntimeDefault"}',
    breakIt: pod => Object.assign(pod.securityContext ?? {}, { seccompProfile: { type: 'Unconfined' } }),
  },
  {
    says: 'can get no further privileges',
    isBroken: pod => securityOf(pod)['allowPrivilegeEscalation'] !== false,
    breakIt: pod => delete securityOf(pod)['allowPrivilegeEscalation'],
  },
  {
    says: 'has no capability',
    isBroken: pod => JSON.stringify(securityOf(pod)['capabilities']) !== '{"drop":["ALL"]}',
    breakIt: pod => Object.assign(securityOf(pod), { capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } }),
  },
  {
    says: 'writes to no file system of its image',
    isBroken: pod => securityOf(pod)['readOnlyRootFilesystem'] !== true,
    breakIt: pod => Object.assign(securityOf(pod), { readOnlyRootFilesystem: false }),
  },
  {
    says: 'shares nothing with its node',
    isBroken: pod =>
      ['hostNetwork', 'hostPID', 'hostIPC'].some(name => pod[name]) || !pod.volumes.every(isAllowedVolume),
    breakIt: pod => pod.volumes.push({ name: 'node', hostPath: { path: '/' } }),
  },
  {
    says: 'has an image that says which it is',
    isBroken: pod => !/(@sha256:[0-9a-f]{64}|:(?!latest$)[\w.-]+)$/.test(container(pod).image),
    breakIt: pod => Object.assign(container(pod), { image: 'reeve/auth:latest' }),
  },
  {
    says: 'asks for processor and memory, and is held to a bound',
    isBroken: ({ containers }) =>
      !containers.every(({ resources: { requests = {}, limits = {} } = {} }) =>
        [requests, limits].every(each => 'cpu' in each && 'memory' in each),
      ),
    breakIt: pod => delete container(pod).resources?.limits,
  },
  {
    says: 'has no token of the API',
    isBroken: pod => pod.automountServiceAccountToken !== false,
    breakIt: pod => delete pod.automountServiceAccountToken,
  },
  {
    says: 'is given no variables by the names of Services',
    isBroken: pod => pod.enableServiceLinks !== false,
    breakIt: pod => delete pod.enableServiceLinks,
  },
];

chart.describe('a pod', () => {
  test.each(rules)('$says', ({ isBroken }) => {
    const pods = examples.flatMap(example => podsOf(render(example)));
    expect(pods).toHaveLength(examples.length * (serviceNames.length + 1));
    expect(pods.filter(isBroken)).toEqual([]);
  });

  test.each(rules)('control: what does not is found: "$says"', ({ isBroken, breakIt }) => {
    const [pod] = structuredClone(podsOf(render('minimal')));
    if (!pod) throw new Error('there is no pod');
    expect(isBroken(pod)).toBe(false);
    breakIt(pod);
    expect(isBroken(pod)).toBe(true);
  });
});

/** The services that no object of the kind is for. */
function without(kind: string, objects: readonly KubernetesObject[]): string[] {
  const components = objects.filter(each => each.kind === kind).map(each => selectedBy(each));
  return serviceNames.filter(name => !components.includes(name));
}

/** The component that it selects by its labels. */
function selectedBy({ spec }: KubernetesObject): string | undefined {
  const { podSelector, selector = podSelector } = spec as Record<string, { matchLabels?: Record<string, string> }>;
  const labels = selector?.matchLabels ?? (selector as Record<string, string> | undefined);
  return labels?.['app.kubernetes.io/component'];
}

chart.describe('each service has', () => {
  const kinds = ['Deployment', 'Service', 'NetworkPolicy', 'PodDisruptionBudget'];

  test.each(kinds)('a %s', kind => {
    for (const example of examples)
      expect({ example, without: without(kind, render(example)) }).toEqual(ofNone(example));
  });

  test('control: one that is missing is found', () => {
    const objects = render('minimal').filter(({ metadata }) => metadata.name !== 'reeve-audit');
    expect(kinds.map(kind => without(kind, objects))).toEqual(kinds.map(() => ['audit']));
  });

  test('a ServiceAccount of its own, whose token is mounted where that is asked for alone', () => {
    const accounts = render('minimal').filter(({ kind }) => kind === 'ServiceAccount');
    expect(accounts.map(({ metadata }) => metadata.name)).toEqual(serviceNames.map(name => `reeve-${name}`).toSorted());
    const asked = deploymentsOf(render('minimal', { set: ['services.auth.serviceAccount.mountToken=true'] }));
    expect([...asked].map(([name, { spec }]) => [name, spec.template.spec.automountServiceAccountToken])).toEqual(
      serviceNames.map(name => [name, name === 'auth']),
    );
  });
});

const ofNone = (example: string) => ({ example, without: [] });

/** What would be secret and stands in an object: a Secret, or the value of a variable. */
function secretsIn(objects: readonly KubernetesObject[]): string[] {
  const variables = podsOf(objects).flatMap(({ containers }) => containers.flatMap(({ env }) => env));
  return [
    ...objects.filter(({ kind }) => kind === 'Secret').map(({ metadata }) => metadata.name),
    ...variables.filter(({ name, value }) => secretVariable.test(name) && value !== undefined).map(({ name }) => name),
  ];
}
const secretVariable = /_(SECRET|PASSWORD|COOKIE_KEYS|SMTP_URL)$|^MONGODB_URI$/;

chart.describe('nothing secret', () => {
  test('is in an object', () => {
    expect(examples.flatMap(example => secretsIn(render(example)))).toEqual([]);
  });

  test('control: a Secret, and a variable that should come from one, are found', () => {
    const objects = structuredClone(render('minimal'));
    const deployment = one(
      objects.filter(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'reeve-audit'),
    );
    const [pod] = podsOf([deployment]);
    const env = pod?.containers[0]?.env ?? [];
    const text = JSON.stringify(deployment).replace(JSON.stringify(env), JSON.stringify(env.map(inTheOpen)));
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'reeve-keys', labels: {} } };
    expect(secretsIn([secret, JSON.parse(text) as KubernetesObject])).toEqual(['reeve-keys', 'MONGODB_URI']);
  });
});

const inTheOpen = ({
  name,
  value = 'mongodb://user:password@mongodb',
}: {
  name: string;
  value?: string | undefined;
}) => ({
  name,
  value,
});
