// Every example is what Helm and Kubernetes take.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { repositoryRoot } from '@reeve/local/paths';
import {
  chart,
  createKubernetes,
  examples,
  isOfKubernetes,
  type Kubernetes,
  type KubernetesObject,
  kubernetesVersions,
  lint,
  objectsIn,
  one,
  render,
} from './chart.test-support.ts';

/** Of others, whose schemas are in no registry: shapes as their documents say them. */
const ofOthers = [
  'external-secrets.io/v1 ExternalSecret',
  'gateway.networking.k8s.io/v1 HTTPRoute',
  'kafka.strimzi.io/v1 KafkaTopic',
  'kafka.strimzi.io/v1 KafkaUser',
  'monitoring.coreos.com/v1 PrometheusRule',
  'monitoring.coreos.com/v1 ServiceMonitor',
];

test('docs/kubernetes.md names each', () => {
  const page = readFileSync(join(repositoryRoot, 'docs/kubernetes.md'), 'utf8');
  const named = [...page.matchAll(/^\| `([a-z-]+)\.yaml` \|/gm)].map(([, name = '']) => name);
  expect(named.toSorted()).toEqual(examples.toSorted());
  expect(named).toHaveLength(6);
});

chart.describe('an example', () => {
  test.each(examples)('%s: Helm finds nothing wrong', example => {
    expect(lint(example)).toMatchObject({ code: 0, errors: '' });
  });

  test('control: of the defaults, Helm says what is missing', () => {
    const { code, output } = lint(null);
    expect(code).not.toBe(0);
    expect(output).toContain('/services/auth/url');
  });

  describe.each(kubernetesVersions)('is what Kubernetes %s takes', version => {
    let kubernetes: Kubernetes;
    beforeAll(() => {
      kubernetes = createKubernetes(version);
    });

    test.each(examples)('%s', example => {
      const objects = render(example, { version });
      const own = objects.filter(isOfKubernetes);
      expect(own.length).toBeGreaterThan(20);
      expect(own.flatMap(kubernetes.problemsOf)).toEqual([]);
    });

    test.each([
      ['trial-engines.yaml', 4],
      ['secured-engines.yaml', 5],
    ])('%s, too', (file, count) => {
      const objects = objectsIn(readFileSync(join(repositoryRoot, 'infra/helm', file), 'utf8'));
      expect(objects).toHaveLength(count);
      expect(objects.flatMap(kubernetes.problemsOf)).toEqual([]);
    });

    test('control: a field that it does not have, a wrong type and a missing field are found', () => {
      const service = one(render('minimal', { version }).filter(isCalled('Service', 'reeve-auth')));
      const withSpec = (spec: object): KubernetesObject => ({ ...service, spec });
      expect(kubernetes.problemsOf(withSpec({ selectors: {} })).join()).toContain('selectors');
      expect(kubernetes.problemsOf(withSpec({ ports: [{ port: '80' }] })).join()).toContain('/spec/ports/0/port');
      expect(kubernetes.problemsOf(withSpec({ ports: [{ name: 'http' }] })).join()).toContain('port');
      expect(kubernetes.problemsOf(service)).toEqual([]);
    });
  });

  test('all other objects are of kinds that are known to be so', () => {
    const others = examples.flatMap(example => render(example)).filter(object => !isOfKubernetes(object));
    expect([...new Set(others.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`))].toSorted()).toEqual(ofOthers);
  });

  test('an older Kubernetes is refused', () => {
    expect(() => render('minimal', { version: '1.29.0' })).toThrow('kubeVersion');
  });
});

const isCalled = (kind: string, name: string) => (object: KubernetesObject) =>
  object.kind === kind && object.metadata.name === name;
