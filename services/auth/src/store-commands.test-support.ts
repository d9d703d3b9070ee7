// Counts what a service asks of its store, on the wire between the two, and keeps what a test says from getting there.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

// Of MongoDB's wire protocol: a message with a command, where the first key of its document begins, and the type of a
// text.
const opMsg = 2013;
const firstKeyAt = 26;
const textType = 2;

/**
 * The first key of a command is its name, and the value the collection that it is about. What has no such value, as
 * `hello`, is about none, and does not count.
 */
function commandIn(message: Buffer): string | null {
  if (message.readInt32LE(12) !== opMsg || message[firstKeyAt - 1] !== textType) return null;
  const nameEnds = message.indexOf(0, firstKeyAt);
  const collectionAt = nameEnds + 5;
  const collectionEnds = collectionAt + message.readInt32LE(nameEnds + 1) - 1;
  return `${message.toString('utf8', firstKeyAt, nameEnds)} ${message.toString('utf8', collectionAt, collectionEnds)}`;
}

/** Stands before the server at `uri`. A service that is given `url` instead reaches that server alone. */
export async function watchStore(uri: string) {
  const { hostname, port } = new URL(uri);
  const sockets = new Set<Socket>();
  let sent: string[] = [];
  const stopped = new Set<Socket>();
  let stopping: { at: string; reached: () => void } | null = null;

  /** Hands on to the store what is to get there. */
  function listenTo(client: Socket, upstream: Socket): void {
    let unread = Buffer.alloc(0);
    client.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk]);
      while (unread.length >= 4 && unread.length >= unread.readInt32LE(0)) {
        const message = unread.subarray(0, unread.readInt32LE(0));
        unread = unread.subarray(message.length);
        const command = commandIn(message);
        if (command !== null) sent.push(command);
        if (command !== null && command === stopping?.at) {
          stopped.add(client);
          stopping.reached();
          stopping = null;
        }
        if (!stopped.has(client)) upstream.write(message);
      }
    });
  }

  const server = createServer(client => {
    const upstream = connect(Number(port), hostname);
    listenTo(client, upstream);
    upstream.pipe(client);
    client.on('end', () => upstream.end());
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(uri);
  url.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  // Otherwise the driver asks the server for its address, and goes there.
  url.search = 'directConnection=true';

  return {
    url: url.href,

    /** The commands since it was last asked for them, such as `find sessions`. A bulk write is one. */
    take(): readonly string[] {
      const taken = sent;
      sent = [];
      return taken;
    },

    /**
     * The next such command does not get there, and neither it nor what comes after it over its connection is ever
     * answered: whoever has sent it is where they would be if their process were killed. Resolves when it has come.
     */
    stopAt: (command: string): Promise<void> =>
      new Promise(reached => {
        stopping = { at: command, reached };
      }),

    /** Ends the connections of those, since a service that stops waits for what it is at. */
    endStopped(): void {
      for (const socket of stopped) socket.destroy();
    },

    stop(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      return new Promise(resolve => server.close(() => resolve()));
    },
  };
}
