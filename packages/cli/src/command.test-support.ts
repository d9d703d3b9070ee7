// A command as a process of its own, against a service that has one thing to read.
import { startService } from './service.test-support.ts';

export async function startCommand(command: readonly string[], { path, answer }: { path: string; answer: object }) {
  const service = await startService(({ url }) =>
    url === path ? { body: answer } : { status: 404, body: { code: 'not_found', detail: 'There is none.' } },
  );
  return {
    /** Since it was last run: the scope of its token, and the addresses that it asked for. */
    asked: () => [...service.scopes(), ...service.asked().map(({ url }) => url)],

    async run(...parameters: string[]): Promise<{ code: number; out: string }> {
      const { code, out, err } = await service.run(...command, ...parameters);
      return { code, out: out + err };
    },

    stop: service.stop,
  };
}
