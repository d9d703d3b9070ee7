// The guard's look-up against a name server that says what a tenant wants it to say.
import { createSocket } from 'node:dgram';
import { lookup as systemLookup } from 'node:dns/promises';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { allowedNetworksSchema, networksFor } from './allowed-networks.ts';
import { createPublicLookup } from './public-lookup.ts';

type Answers = { A?: string[]; AAAA?: string[] } | 'silent' | 'unknown';

const names: Record<string, Answers> = {
  'public.example': { A: ['93.184.216.34'], AAAA: ['2606:2800:220:1:248:1893:25c8:1946'] },
  'mixed.example': { A: ['10.0.0.1', '93.184.216.34', '127.0.0.1'], AAAA: ['::1', '::ffff:10.0.0.1'] },
  'private.example': { A: ['10.0.0.1', '169.254.169.254'], AAAA: ['fd00::1'] },
  'hidden.example': { AAAA: ['::ffff:127.0.0.1', '64:ff9b::a00:1', '::7f00:1', '2002:7f00:1::'] },
  'translated.example': { AAAA: ['64:ff9b::5db8:d822'] },
  'nothing.example': {},
  'silent.example': 'silent',
};

/** RFC 1035, as much of it as a question for addresses takes. */
function answer(question: Buffer): Buffer | null {
  const labels: string[] = [];
  let at = 12;
  for (let length = question[at] ?? 0; length > 0; length = question[at] ?? 0) {
    labels.push(question.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = question.readUInt16BE(at + 1) === 28 ? 'AAAA' : 'A';
  const asked = question.subarray(12, at + 5);
  const found = names[labels.join('.').toLowerCase()] ?? 'unknown';
  if (found === 'silent') return null;
  const addresses = found === 'unknown' ? [] : (found[type] ?? []);
  const head = Buffer.alloc(12);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(found === 'unknown' ? 0x8183 : 0x8180, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map(address => {
    const bytes = type === 'A' ? Buffer.from(address.split('.').map(Number)) : ipv6(address);
    const record = Buffer.from([0xc0, 12, 0, type === 'A' ? 1 : 28, 0, 1, 0, 0, 0, 1, 0, bytes.length]);
    return Buffer.concat([record, bytes]);
  });
  return Buffer.concat([head, asked, ...records]);
}

function ipv6(address: string): Buffer {
  const text = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [before = '', after = ''] = text.split('::').map(half => half);
  const groups = (half: string) => half.split(':').filter(group => group !== '');
  const [left, right] = [groups(before), groups(after)];
  const all = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  return Buffer.from(all.map(group => group.padStart(4, '0')).join(''), 'hex');
}

describe('the look-up of the SSRF guard', () => {
  const server = createSocket('udp4');
  let lookup: ReturnType<typeof createPublicLookup>;
  beforeAll(async () => {
    server.on('message', (question, { port, address }) => {
      const bytes = answer(question);
      if (bytes) server.send(bytes, port, address);
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    lookup = createPublicLookup({ nameServers: [`127.0.0.1:${server.address().port}`] });
  });
  afterAll(() => void server.close());

  const found = (name: string, options: { all?: boolean; family?: number } = { all: true }) =>
    new Promise((resolve, reject) => {
      lookup(name, options, (error, address) => (error ? reject(error) : resolve(address)));
    });

  test('gives the public addresses of a name, of the family that is asked for', async () => {
    const ipv4 = { address: '93.184.216.34', family: 4 };
    const ipv6 = { address: '2606:2800:220:1:248:1893:25c8:1946', family: 6 };
    expect(await found('public.example')).toEqual([ipv4, ipv6]);
    expect(await found('public.example', { all: true, family: 6 })).toEqual([ipv6]);
    expect(await found('public.example', {})).toBe(ipv4.address);
    expect(await found('translated.example')).toEqual([{ address: '64:ff9b::5db8:d822', family: 6 }]);
  });

  test('leaves out what is not public of a name that has both', async () => {
    expect(await found('mixed.example')).toEqual([{ address: '93.184.216.34', family: 4 }]);
  });

  test.each(['private.example', 'hidden.example', 'localhost', 'LOCALHOST.', 'a.localhost'])(
    'refuses %s, which leads inside',
    async name => {
      await expect(found(name)).rejects.toMatchObject({ code: 'url_refused' });
    },
  );

  test('gives those inside that are open, by subnet or name, and refuses the others with how to open them', async () => {
    const inside = (text: string) => {
      const nameServers = [`127.0.0.1:${server.address().port}`];
      const allowed = networksFor(allowedNetworksSchema.parse(text), 'sinks');
      const look = createPublicLookup({ nameServers, allowed });
      return (name: string) =>
        new Promise((resolve, reject) => {
          look(name, { all: true }, (error, found) => (error ? reject(error) : resolve(found)));
        });
    };
    const [ipv4, ipv6] = [
      { address: '10.0.0.1', family: 4 },
      { address: 'fd00::1', family: 6 },
    ];
    expect(await inside('10.0.0.0/24')('private.example')).toEqual([ipv4]);
    // Where machines find their credentials stays out.
    expect(await inside('private.example')('private.example')).toEqual([ipv4, ipv6]);
    const refused = { code: 'url_refused', message: expect.stringContaining('REEVE_ALLOWED_NETWORKS (sinks=…)') };
    await expect(inside('10.1.0.0/24,mixed.example')('private.example')).rejects.toMatchObject(refused);
    await expect(inside('127.0.0.0/8')('localhost')).rejects.toMatchObject({ code: 'url_refused' });
  });

  test('does not call a name refused that has no address, or is not there', async () => {
    await expect(found('nothing.example')).rejects.toMatchObject({ code: 'ENODATA' });
    await expect(found('unknown.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
  });

  test('keeps nobody waiting while a tenant’s name servers are silent', async () => {
    const silent = Array.from({ length: 50 }, () =>
      found('silent.example').catch((error: { code: string }) => error.code),
    );
    const began = performance.now();
    await systemLookup('localhost');
    await found('public.example');
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(new Set(await Promise.all(silent))).toEqual(new Set(['ETIMEOUT']));
  });
});
