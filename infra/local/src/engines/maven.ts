// What comes from Maven Central: fetched on first use, and again when its pom.xml has changed.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Children, ChildSpec } from '../children.ts';
import { localDirectory, repositoryRoot } from '../paths.ts';
import { SetupError } from '../setup-error.ts';

type Fetched = {
  /** A folder of infra/local/engines with a pom.xml, and the folder of .local/engines that it fills. */
  folder: string;
  name: string;
  /** Of maven-dependency-plugin. */
  goal: 'copy-dependencies' | 'unpack-dependencies';
  /** What does as well. A sentence. */
  instead?: string;
};

export const fetchedInto = (folder: string) => join(localDirectory, 'engines', folder);

/** It is in `fetchedInto` when this resolves. Throws SetupError. */
export async function fetchByMaven(
  children: Children,
  { folder, name, goal, instead = '' }: Fetched,
  say: (line: string) => void,
): Promise<void> {
  const finish = (command: string, args: readonly string[]) =>
    children.finish({ name: `fetching-${folder}`, layer: 'engines', command, args, cwd: localDirectory, env });
  const env: ChildSpec['env'] = process.env;
  /** Throws SetupError for a command that is not there. */
  const need = (command: string) =>
    finish(command, ['-version']).catch(() => {
      throw new SetupError(`${command} is not on the PATH. Install a JDK (17 or newer) and Maven. ${instead}`.trim());
    });

  await need('java');
  const pom = join(repositoryRoot, 'infra/local/engines', folder, 'pom.xml');
  const directory = fetchedInto(folder);
  const stamp = join(directory, '.fetched');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(pom, 'utf8')) return;
  await need('mvn');
  say(`fetching ${name} from Maven Central …`);
  // What another version of the list brought would be taken too.
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  try {
    const into = [`-DoutputDirectory=${directory}`, `-DmarkersDirectory=${join(directory, '.markers')}`];
    await finish('mvn', ['-q', '-B', '-f', pom, `dependency:${goal}`, ...into]);
  } catch (error) {
    throw new SetupError(
      [
        `Maven could not fetch what ${pom} names. Check the network or Maven's settings.`,
        instead,
        (error as Error).message,
      ].join(' '),
    );
  }
  writeFileSync(stamp, readFileSync(pom, 'utf8'));
}
