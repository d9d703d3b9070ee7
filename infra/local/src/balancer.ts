// What stands in front of the instances of a service, as an ingress does: each request goes to the next of those that
// are in it, on a connection of its own.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

type Instance = { port: number; running: number };

/** As in the chart: an instance that is taken out goes on for so long, for what had been sent to it. */
const drainsForMs = 5_000;

export type Balancer = Awaited<ReturnType<typeof startBalancer>>;

export async function startBalancer(port: number) {
  let instances: Instance[] = [];
  let turn = 0;

  function passOn(asked: IncomingMessage, answer: ServerResponse): void {
    const instance = instances[turn++ % instances.length];
    if (!instance) return void answer.writeHead(503).end();
    instance.running += 1;
    answer.once('close', () => {
      instance.running -= 1;
    });
    const { method, url: path, headers } = asked;
    const onward = request({ host: 'localhost', port: instance.port, method, path, headers, agent: false }, from => {
      answer.writeHead(from.statusCode ?? 502, from.rawHeaders);
      from.pipe(answer);
    });
    onward.on('error', () => {
      if (answer.headersSent) answer.destroy();
      else answer.writeHead(502).end();
    });
    asked.pipe(onward);
  }

  const server = createServer(passOn);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, resolve);
  });

  return {
    add: (added: number) => void instances.push({ port: added, running: 0 }),

    /** Resolves when nothing more is under way there, or after as long as a pod goes on. */
    async takeOut(removed: number): Promise<void> {
      const leaving = instances.filter(one => one.port === removed);
      instances = instances.filter(one => one.port !== removed);
      const end = Date.now() + drainsForMs;
      while (leaving.some(({ running }) => running > 0) && Date.now() < end) await sleep(20);
    },

    async stop(): Promise<void> {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
