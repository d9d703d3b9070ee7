// Splunk HTTP Event Collector: one event object per line, as its /services/collector/event takes them one after the
// other. The event is the line of the NDJSON export.

import { decodeStatement } from '../statements.ts';
import type { Format } from './entry.ts';
import { ndjson } from './ndjson.ts';

const beginning = /^\{"time":[\d.]+,"host":/;
const beforeEvent = '},"event":';

/** Splunk wants seconds, with the milliseconds behind the point. */
function line({ time, source, tenantId }: { time: string; source: string; tenantId: string }, event: string): string {
  const seconds = (Date.parse(time) / 1_000).toFixed(3);
  const head = { host: 'reeve', source, sourcetype: 'reeve:audit', fields: { tenant: tenantId } };
  return `{"time":${seconds},${JSON.stringify(head).slice(1, -1)},"event":${event}}`;
}

export const hec: Format = {
  contentType: 'application/x-ndjson',
  extension: 'hec.ndjson',
  isJson: true,

  writeRecord: (chained, keyId) => line(chained.record, ndjson.writeRecord(chained, keyId)),

  writeStatement(jws) {
    const { time, tenantId } = decodeStatement(jws).content;
    return line({ time, tenantId, source: '/reeve/audit' }, ndjson.writeStatement(jws));
  },

  read(text) {
    // Not within a text before it: there the quotes would be escaped.
    const at = text.indexOf(beforeEvent);
    if (at < 0 || !beginning.test(text) || !text.endsWith('}')) throw new TypeError('not an event as Splunk takes it');
    return ndjson.read(text.slice(at + beforeEvent.length, -1));
  },
};
