import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Listens on this machine, on a free port unless one is named. */
export async function listen(server: Server, port = 0): Promise<{ url: string; stop(): Promise<void> }> {
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
