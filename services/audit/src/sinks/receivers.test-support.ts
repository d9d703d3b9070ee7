// Receivers of the protocols that sinks speak, for tests: real servers on real sockets that take nothing the protocol
// does not allow.
import { createHash, createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { gunzipSync } from 'node:zlib';
import { listen } from '@reeve/testing';

/** What a test may make a receiver do before it answers as it should. */
export type Misbehaviour = (
  attempt: number,
) => { status: number; headers?: Record<string, string> } | 'hang' | 'reset' | null;

export type Receiver = {
  url: string /** Every line that was taken, in order. */;
  lines: string[];
  problems: string[];
  attempts: () => number;
  stop: () => Promise<void>;
};

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

type Answer = { status: number; body: unknown };
type Handle = (request: IncomingMessage, body: Buffer, receiver: { lines: string[]; problems: string[] }) => Answer;

async function startHttp(handle: Handle, misbehave: Misbehaviour = () => null): Promise<Receiver> {
  const lines: string[] = [];
  const problems: string[] = [];
  let attempts = 0;
  const server = createServer((request, response) => {
    void bodyOf(request).then(body => {
      attempts += 1;
      const wrong = misbehave(attempts);
      if (wrong === 'hang') return undefined;
      if (wrong === 'reset') return request.socket.destroy();
      if (wrong) return response.writeHead(wrong.status, wrong.headers).end('not now');
      const answer = handle(request, body, { lines, problems });
      return response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
  });
  return { ...(await listen(server)), lines, problems, attempts: () => attempts };
}

/** Checks the signature with nothing but node:crypto, from the specification. Takes each webhook-id once. */
export function startWebhookReceiver(secret: string, misbehave?: Misbehaviour): Promise<Receiver> {
  const seen = new Set<string>();
  return startHttp((request, body, { lines, problems }) => {
    const {
      'webhook-id': id = '',
      'webhook-timestamp': timestamp = '',
      'webhook-signature': signatures = '',
    } = request.headers as Record<string, string>;
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
    const given = signatures
      .split(' ')
      .flatMap(one => (one.startsWith('v1,') ? [Buffer.from(one.slice(3), 'base64')] : []));
    const fits = given.some(one => one.length === expected.length && timingSafeEqual(one, expected));
    if (!fits || Math.abs(Date.now() / 1_000 - Number(timestamp)) > 300) {
      problems.push('signature');
      return { status: 401, body: {} };
    }
    const text = body.toString('utf8');
    if (!text.endsWith('\n')) problems.push('no newline at the end');
    if (!seen.has(id)) lines.push(...text.trimEnd().split('\n'));
    seen.add(id);
    return { status: 200, body: {} };
  }, misbehave);
}

type HecOptions = {
  token: string;
  acknowledges?: boolean /** How often an ack is asked for before it is there. */;
  ackAfter?: number;
};

/** Objects one after the other, a channel that is a GUID, acknowledgements that read true once. */
export function startSplunkReceiver(
  { token, acknowledges = true, ackAfter = 1 }: HecOptions,
  misbehave?: Misbehaviour,
): Promise<Receiver> {
  const waiting = new Map<number, { asked: number; lines: string[] }>();
  let lastAck = 0;
  return startHttp((request, body, { lines, problems }) => {
    const { authorization = '', 'x-splunk-request-channel': channel = '' } = request.headers as Record<string, string>;
    if (authorization !== `Splunk ${token}`) return { status: 403, body: { text: 'Invalid token', code: 4 } };
    if (!/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i.test(channel)) {
      problems.push('channel');
      return { status: 400, body: { text: 'Invalid data channel', code: 11 } };
    }
    const url = new URL(request.url ?? '', 'http://splunk');
    if (url.pathname === '/services/collector/ack') {
      if (!acknowledges) return { status: 400, body: { text: 'ACK is disabled', code: 14 } };
      if (url.searchParams.get('channel') !== channel) problems.push('ack on another channel');
      const { acks } = JSON.parse(body.toString()) as { acks: number[] };
      const answers = acks.map(id => {
        const one = waiting.get(id);
        if (!one || ++one.asked <= ackAfter) return [id, false] as const;
        lines.push(...one.lines);
        waiting.delete(id);
        return [id, true] as const;
      });
      return { status: 200, body: { acks: Object.fromEntries(answers) } };
    }
    if (url.pathname !== '/services/collector/event') return { status: 404, body: {} };
    const events = body.toString('utf8').split('\n');
    for (const text of events) {
      const event = JSON.parse(text) as Record<string, unknown>;
      if (Array.isArray(event)) problems.push('an array');
      if (typeof event['time'] !== 'number' || event['time'] > 1e11) problems.push('time is not in seconds');
      if (event['event'] === undefined || event['event'] === '') problems.push('no event');
      if (Object.values((event['fields'] as object | undefined) ?? {}).some(value => typeof value === 'object'))
        problems.push('fields are not flat');
    }
    if (!acknowledges) {
      lines.push(...events);
      return { status: 200, body: { text: 'Success', code: 0 } };
    }
    lastAck += 1;
    waiting.set(lastAck, { asked: 0, lines: events });
    return { status: 200, body: { text: 'Success', code: 0, ackId: lastAck } };
  }, misbehave);
}

/** A data stream: `create` alone, newline at the end, one answer per document, a conflict for an id that is there. */
export function startElasticsearchReceiver(
  apiKey: string,
  refuses: (id: string) => number | null = () => null,
  misbehave?: Misbehaviour,
): Promise<Receiver> {
  const ids = new Set<string>();
  return startHttp((request, body, { lines, problems }) => {
    if (request.headers.authorization !== `ApiKey ${apiKey}`) return { status: 401, body: {} };
    if (request.headers['content-type'] !== 'application/x-ndjson') problems.push('content type');
    const text = body.toString('utf8');
    if (!text.endsWith('\n')) return { status: 400, body: { error: { type: 'illegal_argument_exception' } } };
    const rows = text.trimEnd().split('\n');
    if (rows.length % 2 !== 0) problems.push('an odd number of lines');
    const items = [];
    for (let at = 0; at < rows.length; at += 2) {
      const action = JSON.parse(rows[at] ?? '') as { create?: { _id?: string } };
      const id = action.create?._id ?? randomUUID();
      if (Object.keys(action).join() !== 'create') problems.push('not create');
      const status = refuses(id) ?? (ids.has(id) ? 409 : 201);
      if (status === 201) {
        ids.add(id);
        lines.push(rows[at + 1] ?? '');
      }
      items.push({
        create: { _id: id, status, ...(status < 400 ? {} : { error: { type: 'some_exception', reason: 'x' } }) },
      });
    }
    return { status: 200, body: { took: 1, errors: items.some(({ create }) => create.status >= 400), items } };
  }, misbehave);
}

/**
 * Octet counting to the last byte, over TLS. `resetAfter` bytes it breaks off without reading on, as often as `times`.
 */
export async function startSyslogReceiver({
  key,
  cert,
  breaks = 0,
}: {
  key: string;
  cert: string;
  breaks?: number;
}): Promise<Receiver & { port: number }> {
  const lines: string[] = [];
  const problems: string[] = [];
  let attempts = 0;
  const server: TlsServer = createTlsServer({ key, cert }, socket => {
    attempts += 1;
    if (attempts <= breaks) return void socket.destroy();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.on('end', () => {
      let rest = Buffer.concat(chunks);
      while (rest.length > 0) {
        const length = /^([1-9]\d{0,8}) /.exec(rest.subarray(0, 12).toString('latin1'));
        if (!length) return void problems.push('no length');
        const from = length[0].length;
        const to = from + Number(length[1]);
        if (rest.length < to) return void problems.push('cut off');
        const message = rest.subarray(from, to).toString('utf8');
        if (!/^<\d{1,3}>1 \d{4}-/.test(message)) problems.push('not RFC 5424');
        lines.push(message);
        rest = rest.subarray(to);
      }
      socket.end();
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `tls://127.0.0.1:${port}`,
    port,
    lines,
    problems,
    attempts: () => attempts,
    stop: () => new Promise(resolve => server.close(() => resolve())),
  };
}

export type StoreReceiver = Receiver & { objects: Map<string, Buffer> };

/**
 * An object store of one bucket: takes what is signed as AWS Signature Version 4 says, checked with nothing but
 * node:crypto, from the specification.
 */
export async function startObjectStore(
  {
    accessKeyId,
    secretAccessKey,
    region,
    bucket,
  }: Record<'accessKeyId' | 'secretAccessKey' | 'region' | 'bucket', string>,
  misbehave?: Misbehaviour,
): Promise<StoreReceiver> {
  const objects = new Map<string, Buffer>();
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
  const receiver = await startHttp((request, body, { lines }) => {
    const refused = (code: string) => ({ status: 403, body: { code } });
    const headers = request.headers as Record<string, string>;
    const { authorization = '', 'x-amz-date': date = '', 'x-amz-content-sha256': given = '' } = headers;
    const found =
      /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$/.exec(
        authorization,
      );
    const [, key, day = '', where, names = '', signature] = found ?? [];
    if (key !== accessKeyId || where !== region) return refused('InvalidAccessKeyId');
    if (given !== sha256(body)) return refused('XAmzContentSHA256Mismatch');
    const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
    if (!date.startsWith(day) || !(Math.abs(Date.now() - at) < 900_000)) return refused('RequestTimeTooSkewed');
    const signed = names.split(';');
    if (!['host', 'x-amz-content-sha256', 'x-amz-date'].every(name => signed.includes(name)))
      return refused('AccessDenied');
    const [path = '', query = ''] = (request.url ?? '').split('?');
    const lowered = signed.map(name => `${name}:${(headers[name] ?? '').trim()}\n`).join('');
    const canonical = [request.method, path, query, lowered, names, given].join('\n');
    const scope = `${day}/${region}/s3/aws4_request`;
    const text = ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n');
    const signingKey = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), region), 's3'), 'aws4_request');
    if (hmac(signingKey, text).toString('hex') !== signature) return refused('SignatureDoesNotMatch');
    const [, inBucket, ...rest] = decodeURIComponent(path).split('/');
    if (inBucket !== bucket) return { status: 404, body: { code: 'NoSuchBucket' } };
    if (request.method !== 'PUT') return { status: 405, body: {} };
    objects.set(rest.join('/'), body);
    if (path.endsWith('.gz')) lines.push(...gunzipSync(body).toString('utf8').trimEnd().split('\n'));
    return { status: 200, body: {} };
  }, misbehave);
  return { ...receiver, objects };
}
