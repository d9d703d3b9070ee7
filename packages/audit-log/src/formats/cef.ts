// ArcSight Common Event Format, version 0. The canonical record is in `rawEvent`, the last extension.
import type { AuditRecord } from '../record.ts';
import { decodeStatement, hashOfStatement } from '../statements.ts';
import { type Format, lineOf } from './entry.ts';
import { canonicalOf, oneLine, oneLineJson } from './one-line.ts';

const severities = { success: 3, failure: 5, denied: 6 } as const;

const inHeader = (text: string) => oneLine(text).replace(/[\\|]/g, '\\$&');
const inExtension = (text: string) => oneLine(text).replace(/[\\=]/g, '\\$&');

function line(type: string, severity: number, extensions: Record<string, string | number | null>, raw: string): string {
  const pairs = Object.entries(extensions).flatMap(([key, value]) =>
    value === null ? [] : [`${key}=${inExtension(String(value))}`],
  );
  const name = inHeader(type);
  return `CEF:0|Reeve|Reeve|1|${name}|${name}|${severity}|${pairs.join(' ')} rawEvent=${inExtension(raw)}`;
}

/** The dictionary's `src` is for IPv4 alone. */
function addressOf({ context: { ip } }: AuditRecord) {
  if (ip === null) return {};
  return ip.includes(':') ? { c6a2: ip, c6a2Label: 'Source IPv6 Address' } : { src: ip };
}

const custom = (names: Record<string, [label: string, value: string | number | null]>) =>
  Object.fromEntries(
    Object.entries(names).flatMap(([key, [label, value]]) =>
      value === null
        ? []
        : [
            [`${key}Label`, label],
            [key, value],
          ],
    ),
  ) as Record<string, string | number>;

export const cef: Format = {
  contentType: 'text/plain; charset=utf-8',
  extension: 'cef',

  writeRecord({ record, canonical, hash }, keyId) {
    const { actor, target, context, outcome, type } = record;
    const isUser = target.type === 'user';
    const extensions = {
      rt: Date.parse(record.time),
      externalId: record.eventId,
      act: type,
      outcome,
      reason: record.reason.code,
      suid: actor.id,
      suser: actor.name,
      spriv: actor.type,
      duid: isUser ? target.id : null,
      duser: isUser ? target.name : null,
      ...addressOf(record),
      requestClientApplication: context.userAgent,
      sourceServiceName: record.source,
      ...custom({
        cs1: ['tenant', record.tenantId],
        cs2: ['chain', record.chain],
        cn1: ['sequence', record.sequence],
        cs3: ['previousHash', record.previousHash],
        cs4: ['hash', hash],
        cs5: ['keyId', keyId],
        cs6: ['target', `${target.type}/${target.id ?? '-'}`],
      }),
    };
    return line(type, severities[outcome], extensions, oneLineJson(canonical));
  },

  writeStatement(jws) {
    const { kind, keyId, content } = decodeStatement(jws);
    const extensions = {
      rt: Date.parse(content.time),
      externalId: hashOfStatement(jws),
      act: kind,
      outcome: 'success',
      ...custom({ cs1: ['tenant', content.tenantId], cs5: ['keyId', keyId] }),
    };
    return line(kind, severities.success, extensions, jws);
  },

  read(text) {
    // An equals sign in a value is escaped, so the first of these is the key.
    const [before = '', escaped] = text.split(/ rawEvent=(.*)$/s);
    if (escaped === undefined) throw new TypeError('there is no rawEvent');
    const raw = escaped.replace(/\\([\\=])/g, '$1');
    const valueOf = (key: string) => new RegExp(` ${key}=([\\w-]+)`).exec(before)?.[1];
    return lineOf({ raw: canonicalOf(raw), hash: valueOf('cs4'), keyId: valueOf('cs5') });
  },
};
