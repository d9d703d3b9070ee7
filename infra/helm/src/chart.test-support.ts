// The chart as Helm renders it, and the schemas of Kubernetes.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { foundChartTools } from '@reeve/local/chart-tools';
import { isCi } from '@reeve/local/is-ci';
import { serviceNames } from '@reeve/local/system';
import { given } from '@reeve/testing/given';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { chartDirectory, examplesDirectory } from './paths.ts';

const tools = foundChartTools();
/** Skips where there is no Helm; in CI it has to be there. */
export const chart = given(tools !== null || isCi(), 'Helm: needs Go, and Python with pip');

export const examples = readdirSync(examplesDirectory).map(file => file.replace('.yaml', ''));
/** The oldest that the chart takes, and the newest whose schemas there are. */
export const kubernetesVersions = ['1.30.0', '1.34.0', '1.37.0'] as const;
/** Whether it is an object of Kubernetes itself; the others are of what else is in a cluster. */
export const isOfKubernetes = ({ apiVersion }: KubernetesObject) => /^[^.]+$|^networking\.k8s\.io\//.test(apiVersion);

const metadata = z.looseObject({
  name: z.string(),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).optional(),
});
const kubernetesObject = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata });
export type KubernetesObject = z.infer<typeof kubernetesObject>;

const environmentVariable = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.strictObject({ secretKeyRef: z.strictObject({ name: z.string(), key: z.string() }) }).optional(),
});
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port: z.literal('http') }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number(),
  failureThreshold: z.number(),
});
const containerSchema = z.looseObject({
  name: z.string(),
  image: z.string(),
  env: z.array(environmentVariable),
  securityContext: z.looseObject({}).optional(),
  resources: z.looseObject({ requests: z.looseObject({}).optional(), limits: z.looseObject({}).optional() }).optional(),
});
const podSchema = z.looseObject({
  automountServiceAccountToken: z.boolean().optional(),
  enableServiceLinks: z.boolean().optional(),
  securityContext: z.looseObject({}).optional(),
  containers: z.array(containerSchema),
  volumes: z.array(z.looseObject({ name: z.string() })),
});
export type Pod = z.infer<typeof podSchema>;

const deployment = z.looseObject({
  metadata,
  spec: z.looseObject({
    replicas: z.number().optional(),
    template: z.looseObject({
      metadata: z.looseObject({ labels: z.record(z.string(), z.string()) }),
      spec: podSchema.extend({
        terminationGracePeriodSeconds: z.number(),
        containers: z
          .array(
            containerSchema.extend({
              startupProbe: probe,
              livenessProbe: probe,
              readinessProbe: probe,
              lifecycle: z.strictObject({
                preStop: z.strictObject({ sleep: z.strictObject({ seconds: z.number() }) }),
              }),
            }),
          )
          .length(1),
      }),
    }),
  }),
});
export type Deployment = z.infer<typeof deployment>;

/** Runs Helm. Gives what it says, with its exit code. */
function helm(...args: string[]): { code: number | null; output: string; errors: string } {
  if (tools === null) throw new Error('Helm is not there: `npm test -- infra/helm` fetches it, with Go and with pip');
  const { status, stdout, stderr, error } = spawnSync(tools.helm, args, { encoding: 'utf8', maxBuffer: 2 ** 24 });
  if (error) throw error;
  return { code: status, output: stdout, errors: stderr };
}

const valuesOf = (example: string) => join(examplesDirectory, `${example}.yaml`);
const rendered = new Map<string, string>();

type Rendering = {
  /** What is changed in the values of the example, in the words of Helm's `--set`. */
  set?: readonly string[];
  /** The same for what is a list or an object, in JSON. */
  setJson?: readonly string[];
  version?: string;
};

/** The objects of an example. Throws with what Helm says where it refuses the values. */
export function render(example: string, { set = [], setJson = [], version = '1.34.0' }: Rendering = {}) {
  const change = [...set.flatMap(each => ['--set', each]), ...setJson.flatMap(each => ['--set-json', each])];
  const args = ['template', 'reeve', chartDirectory, '-f', valuesOf(example), '--kube-version', version, ...change];
  const key = args.join(' ');
  if (!rendered.has(key)) {
    const { code, output, errors } = helm(...args);
    if (code !== 0) throw new Error(errors);
    rendered.set(key, output);
  }
  return objectsIn(rendered.get(key) ?? '');
}

/** As kubectl reads a file. */
export function objectsIn(text: string): KubernetesObject[] {
  return parseAllDocuments(text)
    .map(document => document.toJS() as unknown)
    .filter(each => each !== null)
    .map(each => kubernetesObject.parse(each));
}

/** Null for the defaults alone, which are not enough. */
export const lint = (example: string | null) =>
  helm('lint', '--strict', chartDirectory, ...(example === null ? [] : ['-f', valuesOf(example)]));

/** By the names of services. */
export function deploymentsOf(objects: readonly KubernetesObject[]): Map<string, Deployment> {
  const all = objects.filter(({ kind }) => kind === 'Deployment').map(each => deployment.parse(each));
  return new Map(serviceNames.map(name => [name, one(all.filter(each => each.metadata.name === `reeve-${name}`))]));
}

/** Those of Deployments, and of tests. */
export function podsOf(objects: readonly KubernetesObject[]): Pod[] {
  return objects.flatMap(each => {
    if (each.kind === 'Pod') return podSchema.parse(each['spec']);
    return each.kind === 'Deployment' ? deployment.parse(each).spec.template.spec : [];
  });
}

export function one<T>(list: readonly T[]): T {
  const [first, ...rest] = list;
  if (first === undefined || rest.length > 0) throw new Error(`there is not one, but ${list.length}`);
  return first;
}

const schemaFile = z.looseObject({ $id: z.string() });

export type Kubernetes = { problemsOf: (object: KubernetesObject) => string[] };

/** What a version of Kubernetes would say of objects of its own, unknown fields included. */
export function createKubernetes(version: string): Kubernetes {
  if (tools === null) throw new Error('the schemas of Kubernetes are not there');
  const folder = join(tools.schemas, `v${version}-local-strict`);
  const read = (file: string) => schemaFile.parse(JSON.parse(readFileSync(join(folder, file), 'utf8')));
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(read('_definitions.json'), 'https://kubernetes.io/api/_definitions.json');
  return {
    problemsOf(object) {
      const group = object.apiVersion.replace(/^([^./]*)(?:\.[^/]*)?\//, '$1-');
      const file = `${object.kind}-${group}.json`.toLowerCase();
      const schema = read(file);
      const validate = ajv.getSchema(schema.$id) ?? ajv.compile(schema);
      void validate(object);
      return (validate.errors ?? []).map(({ instancePath, message, params }) =>
        [object.kind, object.metadata.name, instancePath, message, JSON.stringify(params)].join(' '),
      );
    },
  };
}

const kafkaOperation = z.enum(['Read', 'Write', 'Describe', 'Create']);
export type KafkaOperation = z.infer<typeof kafkaOperation>;

const userSpec = z.strictObject({
  authentication: z.strictObject({ type: z.string() }),
  authorization: z.strictObject({
    type: z.literal('simple'),
    acls: z.array(
      z.strictObject({
        resource: z.strictObject({
          type: z.enum(['topic', 'group']),
          name: z.string(),
          patternType: z.enum(['prefix', 'literal']),
        }),
        operations: z.array(kafkaOperation),
      }),
    ),
  }),
});

/** What each user of Kafka may do, by its service. */
export const kafkaUsers = (example: string, options: Parameters<typeof render>[1] = {}) =>
  new Map(
    render(example, options)
      .filter(({ kind }) => kind === 'KafkaUser')
      .map(({ metadata: { name }, spec }) => [name.replace('reeve-', ''), userSpec.parse(spec).authorization.acls]),
  );
