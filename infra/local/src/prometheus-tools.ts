// What the tests of the rules of Prometheus need of others, fetched once: promtool, by which Prometheus itself reads
// and judges them.
import { join } from 'node:path';
import type { Children } from './children.ts';
import { type Fetching, fetched, whereFetched } from './peers/oauth-clients.ts';

const program = 'github.com/prometheus/prometheus/cmd/promtool@v0.316.0';

const promtool: Fetching = {
  name: 'promtool from the Go module proxy, which takes Go and some minutes',
  folder: 'promtool',
  wanted: program,
  command: 'go',
  // Without the service discoveries, which are most of it and of which rules know nothing.
  args: () => ['install', '-trimpath', '-tags=remove_all_sd', '-ldflags=-s -w', program],
};

/** Throws SetupError where there is no Go, or it cannot fetch or build it. */
export async function fetchPromtool(children: Children, say: (line: string) => void): Promise<void> {
  await fetched(children, say, promtool);
}

/** The program; null where it was not fetched. */
export function foundPromtool(): string | null {
  const directory = whereFetched(promtool);
  return directory === null ? null : join(directory, 'promtool');
}
