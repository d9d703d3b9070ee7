// The driver (mongodb 7.9.0) waits for `drain` when a socket takes no more, and does not look whether it is closed. A
// command that is written between a socket's end and its `close` event waits for ever then, and with it whoever called:
// no option of the driver puts a limit to that. Imported for its effect, before the first connection: a connection that
// ends wakes whoever waits to write, and the driver then finds why it ended, and tries again elsewhere.
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';

type Ending = { socket: Socket; cleanup(error: Error): void };

const require = createRequire(import.meta.url);
const { Connection } = require('mongodb/lib/cmap/connection.js') as { Connection: { prototype: Ending } };

const { cleanup } = Connection.prototype;
Connection.prototype.cleanup = function cleanUpAndWake(error) {
  cleanup.call(this, error);
  this.socket.emit('drain');
};
