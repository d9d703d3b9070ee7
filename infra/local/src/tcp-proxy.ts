// Stands between a test and an engine, and holds up what passes when it is told to.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

type Pair = { client: Socket; engine: Socket };
type Held = { requests?: boolean; answers?: boolean };

export async function startProxy(enginePort: number) {
  const pairs = new Set<Pair>();
  let held: Held = {};
  let sent = '';

  function apply({ client, engine }: Pair) {
    if (held.requests) client.pause();
    else client.resume();
    if (held.answers) engine.pause();
    else engine.resume();
  }

  function endTogether(pair: Pair, one: Socket, other: Socket) {
    one.on('error', () => undefined);
    one.on('close', () => {
      pairs.delete(pair);
      other.destroy();
    });
  }

  const server = createServer(client => {
    const engine = connect({ port: enginePort, host: '127.0.0.1' });
    const pair = { client, engine };
    pairs.add(pair);
    client.on('data', chunk => {
      sent += chunk.toString('latin1');
      engine.write(chunk);
    });
    engine.on('data', chunk => client.write(chunk));
    endTogether(pair, client, engine);
    endTogether(pair, engine, client);
    apply(pair);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

  return {
    port: (server.address() as AddressInfo).port,

    /** What is not named passes again. */
    hold(what: Held): void {
      held = what;
      for (const pair of pairs) apply(pair);
    },

    /** Whether a client ever sent this text. */
    hasSeen: (text: string) => sent.includes(text),

    stop(): void {
      server.close();
      for (const { client, engine } of pairs) {
        client.destroy();
        engine.destroy();
      }
    },
  };
}
