// Questions to a real name server: what counts as an answer, what as an absence, and what as neither.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type NameServer, startNameServer } from '@reeve/testing';
import { createTxtLookup, isResolverAddress } from './look-up-txt.ts';

let dns: NameServer;

beforeAll(async () => {
  dns = await startNameServer();
});
afterAll(() => dns.stop());

const lookUp = (name: string) => createTxtLookup([dns.address])(name);
const values = (...found: string[]) => [{ resolver: dns.address, values: found }];
const error = (code: string) => [{ resolver: dns.address, error: code }];

test('records come one by one, each joined of its strings', async () => {
  dns.says('a.example', { txt: ['one', ['tok', 'en=', 'two'], 'x'.repeat(600)] });
  expect(await lookUp('a.example')).toEqual(values('one', 'token=two', 'x'.repeat(600)));
});

test('two hundred records come over TCP', async () => {
  const records = Array.from({ length: 200 }, (_, index) => `record number ${index}`);
  dns.says('many.example', { txt: records });
  expect(await lookUp('many.example')).toEqual(values(...records));
  const over = dns.asked.filter(({ name }) => name === 'many.example').map(one => one.over);
  expect(over).toEqual(['udp', 'tcp']);
});

test('an alias is followed', async () => {
  dns.says('alias.example', { cname: 'target.elsewhere.example' });
  dns.says('target.elsewhere.example', { txt: ['there'] });
  expect(await lookUp('alias.example')).toEqual(values('there'));
});

test('no such name, no such record, and an alias to nowhere are answers: there is nothing', async () => {
  dns.says('empty.example', { txt: [] });
  dns.says('dangling.example', { cname: 'gone.example' });
  for (const name of ['none.example', 'empty.example', 'dangling.example'])
    expect(await lookUp(name)).toEqual(values());
});

test('a failure and a refusal are none', async () => {
  dns.says('broken.example', 'servfail');
  dns.says('refused.example', 'refused');
  dns.says('broken-alias.example', { cname: 'broken.example' });
  expect(await lookUp('broken.example')).toEqual(error('ESERVFAIL'));
  expect(await lookUp('refused.example')).toEqual(error('EREFUSED'));
  expect(await lookUp('broken-alias.example')).toEqual(error('ESERVFAIL'));
});

test('silence is none either, after two tries and five seconds at most', async () => {
  dns.says('silent.example', 'silence');
  const began = performance.now();
  expect(await lookUp('silent.example')).toEqual(error('ETIMEOUT'));
  expect(performance.now() - began).toBeLessThan(5_500);
  expect(dns.asked.filter(({ name }) => name === 'silent.example')).toHaveLength(2);
}, 10_000);

test('where nobody listens, nobody answers', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  const [answer] = await createTxtLookup([`127.0.0.1:${port}`])('a.example');
  expect(answer).toEqual({ resolver: `127.0.0.1:${port}`, error: expect.any(String) });
}, 10_000);

test('each of several resolvers is asked by itself', async () => {
  const other = await startNameServer();
  dns.says('two.example', { txt: ['here'] });
  other.says('two.example', { txt: ['there'] });
  expect(await createTxtLookup([dns.address, other.address])('two.example')).toEqual([
    { resolver: dns.address, values: ['here'] },
    { resolver: other.address, values: ['there'] },
  ]);
  await other.stop();
});

test('whoever asks again gets what is there by then', async () => {
  dns.says('changing.example', { txt: ['before'] });
  expect(await lookUp('changing.example')).toEqual(values('before'));
  dns.says('changing.example', { txt: ['after'] });
  expect(await lookUp('changing.example')).toEqual(values('after'));
});

test('a resolver is an IP address, with a port or without', () => {
  for (const address of ['192.0.2.1', '192.0.2.1:53', '2001:db8::1', '[2001:db8::1]', '[2001:db8::1]:5353'])
    expect([address, isResolverAddress(address)]).toEqual([address, true]);
  for (const address of [
    '',
    'dns.example',
    'dns.example:53',
    '192.0.2',
    '192.0.2.1:',
    '[192.0.2.1]:53',
    '192.0.2.1:99999',
    '1.1.1.1:0',
  ])
    expect([address, isResolverAddress(address)]).toEqual([address, false]);
});
