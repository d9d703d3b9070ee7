// CSV, RFC 4180, one line per record and safe to open: what a spreadsheet would take for a formula is shown as text.
// The last column is the canonical record.
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import type { AuditRecord } from '../record.ts';
import { decodeStatement } from '../statements.ts';
import { type Format, lineOf } from './entry.ts';
import { canonicalOf, oneLine, oneLineJson } from './one-line.ts';

const columns: readonly [name: string, valueOf: (record: AuditRecord) => string | number | null][] = [
  ['time', ({ time }) => time],
  ['type', ({ type }) => type],
  ['outcome', ({ outcome }) => outcome],
  ['reason', ({ reason }) => reason.code],
  ['rule', ({ reason }) => reason.rule],
  ['actor_type', ({ actor }) => actor.type],
  ['actor_id', ({ actor }) => actor.id],
  ['actor_name', ({ actor }) => actor.name],
  ['target_type', ({ target }) => target.type],
  ['target_id', ({ target }) => target.id],
  ['target_name', ({ target }) => target.name],
  ['ip', ({ context }) => context.ip],
  ['user_agent', ({ context }) => context.userAgent],
  ['session_id', ({ context }) => context.sessionId],
  ['request_id', ({ context }) => context.requestId],
  ['correlation_id', ({ correlationId }) => correlationId],
  ['source', ({ source }) => source],
  ['event_id', ({ eventId }) => eventId],
  ['tenant', ({ tenantId }) => tenantId],
  ['chain', ({ chain }) => chain],
  ['sequence', ({ sequence }) => sequence],
  ['previous_hash', ({ previousHash }) => previousHash],
];
const names = [...columns.map(([name]) => name), 'hash', 'key_id', 'record'];

const line = (cells: readonly (string | number | null)[]) =>
  stringify([cells.map(cell => (typeof cell === 'string' ? oneLine(cell) : cell))], {
    escape_formulas: true,
    record_delimiter: '',
  });

export const csv: Format = {
  contentType: 'text/csv; charset=utf-8',
  extension: 'csv',
  header: line(names),

  writeRecord: ({ record, canonical, hash }, keyId) =>
    line([...columns.map(([, valueOf]) => valueOf(record)), hash, keyId, oneLineJson(canonical)]),

  writeStatement(jws) {
    const { kind, keyId, content } = decodeStatement(jws);
    const known: Record<string, string> = {
      time: content.time,
      type: kind,
      tenant: content.tenantId,
      key_id: keyId,
      record: jws,
    };
    return line(names.map(name => known[name] ?? null));
  },

  read(text) {
    const [cells = [], ...more] = parse(text, { relax_column_count: true }) as string[][];
    // A reader that takes CR for the end of a line would see another record behind it.
    if (more.length > 0) throw new TypeError('it is more than one line');
    if (cells.length !== names.length) throw new TypeError(`it has ${cells.length} columns instead of ${names.length}`);
    const [hash, keyId, raw = ''] = cells.slice(-3);
    return lineOf({
      raw: canonicalOf(raw),
      hash: hash === '' ? undefined : hash,
      // As it was before it was shown as text: one in 64 begins as a formula does.
      keyId: keyId?.replace(/^'(?=-)/, ''),
    });
  },
};
