// The OpenTelemetry Collector for `npm run test:peers`: its parts are those that infra/otel/builder.yaml names, built
// once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Children } from '../children.ts';
import { repositoryRoot } from '../paths.ts';
import { fetched } from './oauth-clients.ts';

const parts = join(repositoryRoot, 'infra/otel/builder.yaml');
const builder = 'go.opentelemetry.io/collector/cmd/builder@v0.160.0';

/** Gives the program. Throws SetupError where there is no Go, or it cannot fetch or build it. */
export async function fetchCollector(children: Children, say: (line: string) => void): Promise<string> {
  const directory = await fetched(children, say, {
    name: 'the OpenTelemetry Collector from the Go module proxy, which takes Go and some minutes',
    folder: 'otel-collector',
    wanted: `${builder}\n${readFileSync(parts, 'utf8')}`,
    command: 'go',
    args: () => ['run', builder, '--config', parts, '--ldflags=-s -w'],
  });
  return join(directory, 'otelcol-reeve');
}
