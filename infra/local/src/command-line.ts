// What every command of the workshop has in common: --help, --version, and a refusal of what it does not know.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { z } from 'zod';
import { repositoryRoot } from './paths.ts';
import { type Variable, variableTable } from './variables.ts';

type About = { does: string; variables: readonly (readonly [title: string, variables: readonly Variable[]])[] };

const exitWrongCall = 2;
const manifest = z.object({ version: z.string() });

/** What npm passes on stands after `--`: `npm start -- --help`. */
export function commandLine(command: string, { does, variables }: About): Command {
  const { version } = manifest.parse(JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')));
  const tables = variables.map(([title, list]) => `\n${title}:\n${variableTable(list)}`);
  return new Command(`${command} --`)
    .description(does)
    .version(version, '--version')
    .showHelpAfterError(`(${command} -- --help says what there is)`)
    .addHelpText('after', tables.join('\n'))
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : exitWrongCall));
}

/** Of a command that hands everything else to Jest. */
export function jestArgumentsOf(command: string, about: About): string[] {
  return commandLine(command, about)
    .argument('[jest...]', "what Jest takes: a part of a path, -t '<a part of a title>', --verbose, --coverage, …")
    .allowUnknownOption()
    .parse().args;
}
