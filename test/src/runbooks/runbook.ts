// A runbook of docs/runbooks, followed as it is written: its commands are read out of the Markdown and run by a shell
// that knows the variables which its head names and no others.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';

export const runbooksDirectory = join(repositoryRoot, 'docs/runbooks');

/** In this order. */
export const sections = [
  'What you see',
  'What it means',
  'What is safe meanwhile',
  'What to do',
  'How you know that it is over',
  'What to tell tenants',
] as const;

const needsCluster = /\b(?:kubectl|helm)\b/;
/** What stands after the opening fence of commands that no test can run. */
const notRehearsed = 'not rehearsed outside a cluster';
const commandTakesAtMostMs = 120_000;

export type Ran = { code: number; out: string; err: string };
export type Runbook = ReturnType<typeof followed>;

type Command = { text: string; isRehearsed: boolean };

export const openRunbook = (name: string): Runbook =>
  followed(readFileSync(join(runbooksDirectory, `${name}.md`), 'utf8'), name);

/** Throws where the document is not built as a runbook is. */
export function followed(markdown: string, name = 'the runbook') {
  const fail = (why: string): never => {
    throw new Error(`${name}: ${why}`);
  };
  const titles = [...markdown.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
  if (titles.join() !== sections.join()) fail(`its sections are ${titles.join(', ')}`);

  const head = /\*\*Set first\*\*[^\n]*(?:\n(?!\n)[^\n]*)*/.exec(markdown)?.[0] ?? fail('it does not say what to set');
  const variables = new Set([...head.matchAll(/`([A-Z][A-Z_0-9]*)`/g)].map(([, variable]) => variable as string));

  const commands = [...markdown.matchAll(/^( *)```([^\n]*)\n(.*?)^\1```$/gms)].map(
    ([, indent, info, indented]): Command => {
      // In a step of a list, and as it is rendered.
      const text = (indented ?? '').replaceAll(new RegExp(`^${indent}`, 'gm'), '');
      if (info !== 'sh' && info !== `sh ${notRehearsed}`) fail(`a block is neither sh nor marked: ${info} ${text}`);
      const isRehearsed = info === 'sh';
      if (isRehearsed === needsCluster.test(text)) fail(`whether this needs a cluster, and its mark, differ: ${text}`);
      return { text, isRehearsed };
    },
  );
  const left = commands.filter(({ isRehearsed }) => isRehearsed).map(({ text }) => text);

  return {
    /**
     * Runs the next commands of the document, which have to contain `part`; once, or again and again for `withinMs` as
     * somebody does who waits. Throws where they end otherwise than with `code`, or where `environment` lacks a
     * variable of the head.
     */
    async run(part: string, environment: Record<string, string>, { code = 0, withinMs = 0 } = {}): Promise<Ran> {
      const [text] = left;
      if (text === undefined || !text.includes(part)) return fail(`the next command is not ${part}: ${text}`);
      const [missing] = [...variables].filter(variable => environment[variable] === undefined);
      if (missing !== undefined) fail(`the test says nothing of ${missing}`);
      left.shift();
      const given = Object.fromEntries([...variables].map(variable => [variable, environment[variable]]));
      const end = Date.now() + withinMs;
      let ran = await shell(text, given);
      while (ran.code !== code && Date.now() < end) ran = await shell(text, given);
      if (ran.code !== code) fail(`this ended with ${ran.code}:\n${text}\n${ran.out}${ran.err}`);
      return ran;
    },

    /** Throws where a command was not run. */
    isDone(): void {
      if (left.length > 0) fail(`nobody ran: ${left.join('\n')}`);
    },
  };
}

/** As somebody would paste it; a variable that is not set ends it. */
function shell(text: string, variables: Record<string, string | undefined>): Promise<Ran> {
  // `npx` starts the command on the Node of the project, as the bin of a package does.
  const PATH = `${join(nodeBinary, '..')}:${process.env['PATH']}`;
  const env = { PATH, HOME: process.env['HOME'], NO_UPDATE_NOTIFIER: '1', ...variables };
  return new Promise(resolve => {
    const options = { cwd: repositoryRoot, env, timeout: commandTakesAtMostMs };
    execFile('bash', ['--norc', '-uo', 'pipefail', '-c', text], options, (error, out, err) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : 1, out, err }),
    );
  });
}
