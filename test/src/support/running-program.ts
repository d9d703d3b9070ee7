// A program of a document, while it runs.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eventually } from '@reeve/testing/eventually';

export type RunningProgram = Awaited<ReturnType<typeof startProgram>>;

export type Program = { command: string; args: readonly string[]; cwd?: string; env?: Record<string, string> };

export function startProgram({ command, args, cwd, env = {} }: Program) {
  const child = spawn(command, args, { cwd, env: { ...process.env, NODE_OPTIONS: '', ...env } });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', chunk => {
      said += String(chunk);
    });
  const ended = once(child, 'exit').then(([code]) => Number(code ?? 1));

  return {
    said: () => said,
    ended,
    /** Fails with what it said where it ends instead. */
    says: (text: string, withinMs = 20_000) =>
      eventually(
        `it says ${text}`,
        async () => {
          if (child.exitCode !== null && !said.includes(text)) throw new Error(`it ended: ${said}`);
          return said.includes(text);
        },
        withinMs,
      ),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Runs it to its end, and gives what it said. */
export async function runProgram(program: Program): Promise<string> {
  const running = startProgram(program);
  const code = await running.ended;
  if (code !== 0) throw new Error(`it ended with ${code}: ${running.said()}`);
  return running.said();
}
