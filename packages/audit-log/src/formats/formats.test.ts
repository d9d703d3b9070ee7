// Each format against its own rules, read by a reader that is not ours, with names that try to break out of their
// fields.
import { describe, expect, test } from '@jest/globals';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { exportJWK, generateKeyPair } from 'jose';
import { emptyRoot } from '../merkle.ts';
import { type AuditRecord, type ChainedRecord, chain, genesisHash } from '../record.ts';
import { signStatement } from '../statements.ts';
import { saysWhatItHolds } from './entry.ts';
import { type FormatName, formatOf, formats } from './formats.ts';

const tenantId = 'ten_00000000-0000-7000-8000-000000000001';
const keyId = '-k_1';
const time = '2026-11-21T10:00:00.123Z';

function recordWith(changes: Partial<Omit<AuditRecord, 'sequence' | 'previousHash'>> = {}): ChainedRecord {
  return chain(
    { hash: 'ab'.repeat(32), sequence: 41 },
    {
      tenantId,
      chain: 'reeve.auth.v1/0',
      eventId: '01998f00-0000-7000-8000-000000000001',
      type: 'sign_in.succeeded',
      source: '/reeve/auth',
      subject: 'user/usr_1',
      time,
      correlationId: 'c1',
      causationId: null,
      traceId: null,
      actor: { type: 'user', id: 'usr_1', name: 'Zoë', via: 'session' },
      target: { type: 'user', id: 'usr_1', name: 'Zoë' },
      outcome: 'success',
      reason: { code: 'signed_in', rule: null, basis: null },
      context: {
        ip: '192.0.2.1',
        userAgent: 'curl/8',
        sessionId: null,
        connectionId: null,
        clientId: null,
        requestId: null,
      },
      details: { userId: 'usr_1' },
      ...changes,
    },
  );
}

const named = (name: string) =>
  recordWith({
    actor: { type: 'user', id: 'usr_1', name, via: 'session' },
    target: { type: 'user', id: name, name },
    context: { ...recordWith().record.context, userAgent: name },
    details: { name, nested: { [name]: [name, 1e21, -0, 0.1] } },
  });

const hostile = [
  "=cmd|'/c calc'!A1",
  '+1',
  '-1',
  '@SUM(A1)',
  '\tx',
  'a|b\\|c\\\\',
  'x=y outcome=failure',
  ' rawEvent={} cs4=00',
  '\\',
  'line\r\nCEF:0|Evil|x|1|y|z|10|',
  '\u0085next\u2028line\u2029para',
  '\ufeff{"a":1}',
  '"] [evil@1 a="b"]',
  '] \ufeff{}',
  ']',
  '"',
  '","',
  "'",
  '","event":{"x":1}}',
  '</script>',
  '',
  ' ',
  '🦊',
  '\u202eRTL',
  '\u0000\u001b[31m',
  '__proto__',
  '10',
];
const anyText = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom(...hostile));
const names = Object.keys(formats) as FormatName[];
/** What some reader or other takes for the end of a line. */
const lineEnds = /[\p{Cc}\u2028\u2029]/u;

/** As the verifier takes it. */
function isTaken(name: FormatName, line: string): boolean {
  try {
    return saysWhatItHolds(formats[name], line, formats[name].read(line));
  } catch {
    return false;
  }
}

describe.each(names)('%s', name => {
  const format = formats[name];

  test('says what was hashed, on one line, whatever people call themselves', () => {
    fc.assert(
      fc.property(
        anyText.map(text => named(text.toWellFormed())),
        chained => {
          const line = format.writeRecord(chained, keyId);
          expect(line).not.toMatch(
            name === 'ndjson' || name === 'hec' || name === 'ocsf' || name === 'ecs' ? /[\n\r]/ : lineEnds,
          );
          expect(isTaken(name, line)).toBe(true);
          expect(format.read(line)).toMatchObject({ kind: 'record', canonical: chained.canonical, hash: chained.hash });
        },
      ),
      { numRuns: 400 },
    );
  });

  test('carries tenant, chain, sequence, previous hash, hash and key id', () => {
    const { record, hash } = recordWith();
    const line = format.writeRecord(recordWith(), keyId);
    for (const part of [record.tenantId, record.chain, '42', record.previousHash, hash, keyId])
      expect(line).toContain(part);
    // A key's id is Base64url, which may begin as a formula does.
    expect(format.read(line)).toMatchObject({ keyId });
  });

  test('carries signed statements', async () => {
    const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
    const key = { ...(await exportJWK(privateKey)), kid: keyId };
    const jws = await signStatement(key, 'reeve-checkpoint', {
      tenantId,
      number: 1,
      time,
      previous: genesisHash,
      root: emptyRoot.toString('hex'),
      chains: [],
    });
    const line = format.writeStatement(jws);
    expect(line).not.toMatch(lineEnds);
    expect(format.read(line)).toEqual({ kind: 'statement', jws });
    // In NDJSON a statement stands alone.
    if (name !== 'ndjson') expect(isTaken(name, line.replace(tenantId, tenantId.replace('1', '2')))).toBe(false);
  });

  test.each(['', '{}', 'null', '[]', 'text', '{"event":{}}', '<110>1 - - - - - -', 'CEF:0|a'])('refuses %j', line => {
    expect(isTaken(name, line)).toBe(false);
  });
});

// NDJSON and HEC are the record itself, which its hash guards.
test.each(names.filter(name => name !== 'ndjson' && name !== 'hec'))(
  '%s refuses a line in which a field was changed and the record was not',
  name => {
    const line = formats[name].writeRecord(recordWith(), keyId);
    for (const part of ['sign_in.succeeded', tenantId, 'abab', 'usr_1'])
      expect(isTaken(name, line.replace(part, part.replace(/.$/, 'x')))).toBe(false);
  },
);

/**
 * The rules of the format, from its guide: unescaped bars part the header, an unescaped equals sign ends a key, which
 * is what precedes it back to a space.
 */
function readCef(line: string) {
  const header = line.split(/(?<=(?<!\\)(?:\\\\)*)\|/);
  const [version, vendor, product, productVersion, id, title, severity] = header;
  const extension = header.slice(7).join('|');
  const keys = [...extension.matchAll(/(?:^| )([A-Za-z0-9]+)(?<=(?<!\\)(?:\\\\)*[A-Za-z0-9])=/g)];
  const fields = Object.fromEntries(
    keys.map((key, index) => {
      const from = key.index + key[0].length;
      const value: string = extension.slice(from, keys[index + 1]?.index);
      return [String(key[1]), value.replace(/\\([\\=])/g, '$1')] as const;
    }),
  );
  return { version, vendor, product, productVersion, id, title, severity, fields };
}

describe('CEF', () => {
  test('has the header and the keys of the dictionary', () => {
    const { record, hash } = recordWith();
    const { fields, ...header } = readCef(formats.cef.writeRecord(recordWith(), keyId));
    expect(header).toEqual({
      version: 'CEF:0',
      vendor: 'Reeve',
      product: 'Reeve',
      productVersion: '1',
      id: record.type,
      title: record.type,
      severity: '3',
    });
    expect(fields).toMatchObject({
      rt: String(Date.parse(time)),
      suid: 'usr_1',
      suser: 'Zoë',
      src: '192.0.2.1',
      outcome: 'success',
      cs1: tenantId,
      cs4: hash,
      cs4Label: 'hash',
      cn1: '42',
    });
    const six = recordWith({ context: { ...record.context, ip: '2001:db8::1' } });
    expect(readCef(formats.cef.writeRecord(six, keyId)).fields).toMatchObject({
      c6a2: '2001:db8::1',
      c6a2Label: 'Source IPv6 Address',
    });
  });

  test.each(hostile)('keeps the name %j in its field', text => {
    const { fields } = readCef(formats.cef.writeRecord(named(text), keyId));
    const shown = text.replace(/[\p{Cc}\u2028\u2029\ufeff]+/gu, ' ');
    expect(fields['suser']?.trim()).toBe(shown.trim());
    expect(fields['outcome']).toBe('success');
    expect(JSON.parse(fields['rawEvent'] ?? '')).toMatchObject({ actor: { name: text } });
  });

  test('keeps a bar in a type in its field', () => {
    const { id, severity } = readCef(formats.cef.writeRecord(recordWith({ type: 'a|b\n|10' }), keyId));
    expect([id, severity]).toEqual(['a\\|b \\|10', '3']);
  });
});

describe('syslog', () => {
  const grammar =
    /^<(?<pri>\d{1,3})>1 (?<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z) (?<host>[\x21-\x7e]{1,255}) (?<app>[\x21-\x7e]{1,48}) (?<pid>[\x21-\x7e]{1,128}) (?<id>[\x21-\x7e]{1,32}) \[(?<sd>[\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32})(?<params>(?: [\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\] \ufeff(?<message>.*)$/su;

  test.each(hostile)('keeps to the grammar of RFC 5424 with the name %j', text => {
    const line = formats.syslog.writeRecord(named(text), keyId);
    const groups = grammar.exec(line)?.groups;
    expect(groups).toMatchObject({ pri: '110', time, app: 'audit', id: 'sign_in.succeeded', sd: 'reeve@32473' });
    expect(JSON.parse(groups?.['message'] ?? '')).toMatchObject({ actor: { name: text } });
    const params = [...(groups?.['params'] ?? '').matchAll(/ (\w+)="((?:[^"\\\]]|\\["\\\]])*)"/g)].map(
      ([, name]) => name,
    );
    expect(params).toEqual(
      expect.arrayContaining(['tenant', 'chain', 'sequence', 'previousHash', 'hash', 'keyId', 'outcome']),
    );
    expect(new Set(params).size).toBe(params.length);
  });

  test('warns of what failed, and names a type of any length', () => {
    const line = formats.syslog.writeRecord(
      recordWith({ outcome: 'denied', type: 'ü'.repeat(3) + 'x'.repeat(50) }),
      keyId,
    );
    expect(grammar.exec(line)?.groups).toMatchObject({ pri: '108', id: 'x'.repeat(32) });
  });
});

describe('CSV', () => {
  const read = (text: string) =>
    parse([formats.csv.header, formats.csv.writeRecord(named(text), keyId)].join('\n'), { columns: true }) as Record<
      string,
      string
    >[];

  test.each(hostile)('holds the name %j in its cell, and a spreadsheet takes no cell for a formula', text => {
    const rows = read(text);
    expect(rows).toHaveLength(1);
    const shown = text.replace(/[\p{Cc}\u2028\u2029\ufeff]+/gu, ' ');
    expect(rows[0]?.['actor_name']).toBe(/^[=+\-@\t\r]/.test(shown) ? `'${shown}` : shown);
    for (const cell of Object.values(rows[0] ?? {})) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    expect(JSON.parse(rows[0]?.['record'] ?? '')).toMatchObject({ actor: { name: text } });
  });
});

test('CSV refuses a line that is two to who takes CR for the end of one', () => {
  const line = formats.csv.writeRecord(recordWith(), keyId);
  expect(formats.csv.read(line)).toMatchObject({ kind: 'record' });
  for (const end of ['\r', '\r\n', '\n']) expect(() => formats.csv.read(line + end + line)).toThrow('more than one');
});

describe('Splunk HEC', () => {
  test('has what the collector asks for', () => {
    const event = JSON.parse(formats.hec.writeRecord(recordWith(), keyId)) as Record<string, unknown>;
    expect(event).toMatchObject({
      time: 1_795_255_200.123,
      host: 'reeve',
      source: '/reeve/auth',
      sourcetype: 'reeve:audit',
      fields: { tenant: tenantId },
      event: { type: 'sign_in.succeeded', sequence: 42, keyId },
    });
  });
});

test.each(names)('%s is known by a line, and by the names of its columns', name => {
  expect(formatOf(formats[name].writeRecord(recordWith(), keyId))).toBe(name);
  const { header } = formats[name];
  if (header !== undefined) expect(formatOf(header)).toBe(name);
});

test.each(['', 'text', '{}', '[]', '{"keys":[]}', 'PK\u0003\u0004', '-----BEGIN'])('%j is of no format', line => {
  expect(formatOf(line)).toBe(null);
});

describe('ECS', () => {
  const categories: Record<string, readonly string[]> = {
    authentication: ['start', 'end', 'info'],
    session: ['start', 'end', 'info'],
    iam: ['admin', 'change', 'creation', 'deletion', 'group', 'info', 'user'],
    configuration: ['access', 'change', 'creation', 'deletion', 'info'],
    api: ['access', 'admin', 'allowed', 'change', 'creation', 'deletion', 'denied', 'end', 'info', 'start', 'user'],
  };
  type Ecs = {
    event: { category: string[]; type: string[]; outcome: string; action: string };
    source?: { ip: string };
  };
  const types = [
    'sign_in.failed',
    'session.created',
    'session.revoked',
    'user.created',
    'user.deleted',
    'role.assigned',
    'consent.revoked',
    'connection.updated',
    'endpoint.created',
    'secret.accessed',
    'access.denied',
    'audit.dead_lettered',
    'of.the_future',
  ];

  test.each(types)('puts %s into a category that knows its type', type => {
    const { event } = JSON.parse(formats.ecs.writeRecord(recordWith({ type, outcome: 'denied' }), keyId)) as Ecs;
    expect(event).toMatchObject({ outcome: 'failure', action: type });
    for (const one of event.type) expect(categories[event.category[0] ?? '']).toContain(one);
  });

  test('has the details as labels: texts, and lists of them', () => {
    const details = {
      email: 'a@b.example',
      bytes: 12,
      deadLetter: false,
      scopes: ['a', 7, null, { b: 1, a: 2 }],
      changed: [],
      nested: { b: [1], a: 'x' },
      provider: null,
      'a.b': 'no step into an object',
      '': 'no name',
    };
    const line = formats.ecs.writeRecord(recordWith({ details }), keyId);
    expect((JSON.parse(line) as { labels: unknown }).labels).toEqual({
      bytes: '12',
      changed: [],
      deadLetter: 'false',
      email: 'a@b.example',
      nested: '{"a":"x","b":[1]}',
      scopes: ['a', '7', '{"a":2,"b":1}'],
    });
    expect(isTaken('ecs', line)).toBe(true);
    expect(isTaken('ecs', line.replace('"bytes":"12"', '"bytes":"13"'))).toBe(false);
    expect(formats.ecs.writeRecord(recordWith({ details: {} }), keyId)).not.toContain('labels');
  });

  test('is taken as the release before wrote it, without labels', () => {
    const line = formats.ecs.writeRecord(recordWith(), keyId);
    const former = JSON.stringify({ ...(JSON.parse(line) as object), labels: undefined });
    expect(former).not.toBe(line);
    expect(isTaken('ecs', former)).toBe(true);
    expect(isTaken('ecs', former.replace('"success"', '"failure"'))).toBe(false);
  });

  test('leaves out an address that is not there', () => {
    const { context } = recordWith().record;
    const line = formats.ecs.writeRecord(recordWith({ context: { ...context, ip: null } }), keyId);
    expect((JSON.parse(line) as Ecs).source).toBeUndefined();
  });
});
