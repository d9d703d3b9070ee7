// kafkajs 2.2.4 looks for requests that wait to be sent every millisecond, on every connection, for ever, be there any
// or not: three hundredths of a core for a process that does nothing. Imported for its effect, before the first
// connection: it looks while something waits.
import { createRequire } from 'node:module';
import { replaceModule } from './replace-module.ts';

type Queue = { pending: unknown[]; scheduleCheckPendingRequests(): void };

const require = createRequire(import.meta.url);
const RequestQueue = require('kafkajs/src/network/requestQueue/index.js') as new (options: object) => Queue;

export class QuietQueue extends RequestQueue {
  override scheduleCheckPendingRequests(): void {
    if (this.pending.length > 0) super.scheduleCheckPendingRequests();
  }
}

replaceModule('network/requestQueue/index.js', QuietQueue);
