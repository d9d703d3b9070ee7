// Syslog, RFC 5424. The message is the canonical record; what is filtered by is structured data as well. A transport
// frames it (RFC 5425: octet counting); in a file it is one line, since nothing in it is the end of one.
import { decodeStatement } from '../statements.ts';
import { type Format, lineOf } from './entry.ts';
import { canonicalOf, oneLine, oneLineJson } from './one-line.ts';

/** Of RFC 5612, for who has no enterprise number of his own. */
const structuredId = 'reeve@32473';
const facility = 13; // log audit
const severities = { success: 6, failure: 4, denied: 4 } as const;
const longestMessageId = 32;
const byteOrderMark = '\ufeff';

const escape = (text: string) => oneLine(text).replace(/["\\\]]/g, '\\$&');

type Message = {
  severity: number;
  time: string;
  type: string;
  params: Record<string, string | number | null>;
  text: string;
};

function line({ severity, time, type, params, text }: Message): string {
  const pairs = Object.entries(params).flatMap(([name, value]) =>
    value === null ? [] : [`${name}="${escape(String(value))}"`],
  );
  const messageId = type.replace(/[^\x21-\x7e]/g, '').slice(0, longestMessageId) || '-';
  const header = `<${facility * 8 + severity}>1 ${time} reeve audit - ${messageId}`;
  return `${header} [${structuredId} ${pairs.join(' ')}] ${byteOrderMark}${text}`;
}

export const syslog: Format = {
  contentType: 'text/plain; charset=utf-8',
  extension: 'syslog',

  writeRecord({ record, canonical, hash }, keyId) {
    const { actor, target, context, outcome, type, time } = record;
    const params = {
      tenant: record.tenantId,
      chain: record.chain,
      sequence: record.sequence,
      previousHash: record.previousHash,
      hash,
      keyId,
      eventId: record.eventId,
      actorType: actor.type,
      actorId: actor.id,
      targetType: target.type,
      targetId: target.id,
      outcome,
      reason: record.reason.code,
      ip: context.ip,
    };
    return line({ severity: severities[outcome], time, type, params, text: oneLineJson(canonical) });
  },

  writeStatement(jws) {
    const { kind, keyId, content } = decodeStatement(jws);
    const params = { tenant: content.tenantId, keyId };
    return line({ severity: severities.success, time: content.time, type: kind, params, text: jws });
  },

  read(text) {
    // No value holds the mark, so the first of them begins the message.
    const at = text.indexOf(byteOrderMark);
    if (at === -1) throw new TypeError('there is no message');
    const raw = text.slice(at + byteOrderMark.length);
    const valueOf = (name: string) => new RegExp(` ${name}="([\\w-]+)"`).exec(text.slice(0, at))?.[1];
    return lineOf({ raw: canonicalOf(raw), hash: valueOf('hash'), keyId: valueOf('keyId') });
  },
};
