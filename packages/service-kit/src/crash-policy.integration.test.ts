// Services that meet an error nobody foresaw, as processes of their own.
import { once } from 'node:events';
import { afterEach, describe, expect, test } from '@jest/globals';
import { endSamples, runSample, startSample } from './sample-process.test-support.ts';

const run = (work: string) => runSample({ work });
const start = (work: string) => startSample({ work });

afterEach(endSamples);

describe('a service', () => {
  test.each([
    ['an exception', `throw new RangeError('attempt to access memory outside buffer bounds')`, 'uncaught exception'],
    [
      'a rejection',
      `Promise.reject(new RangeError('attempt to access memory outside buffer bounds'))`,
      'unhandled rejection',
    ],
  ])('that meets %s nobody catches says so in its log and ends with code 70', async (_, what, msg) => {
    const { code, log } = await run(`setTimeout(() => { ${what} }, 10)`);
    expect(code).toBe(70);
    const { level, error, ...last } = log.find(line => line.msg === msg) ?? {};
    expect([level, error?.name, error?.message]).toEqual([
      'fatal',
      'RangeError',
      'attempt to access memory outside buffer bounds',
    ]);
    expect(error?.stack).toMatch(/^RangeError: .*\n {4}at /);
    expect(last).toMatchObject({ service: 'sample', msg });
  });

  test('that rejects with what is no error ends as well', async () => {
    const { code, log } = await run('setTimeout(() => void Promise.reject(Object.create(null)), 10)');
    expect([code, log.at(-1)?.level]).toEqual([70, 'fatal']);
  });

  test('gives nothing that is under way another chance, and keeps what it had logged', async () => {
    const { code, output, log } = await run(`
      log.info('before');
      setImmediate(() => {
        Promise.resolve().then(() => writeSync(1, 'went on'));
        setImmediate(() => writeSync(1, 'went on'));
        throw new Error('now');
      });
    `);
    expect(code).toBe(70);
    expect(output).not.toContain('went on');
    expect(log.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['before', 'uncaught exception']));
  });

  test('logs no row that a driver quotes', async () => {
    const { output } = await run(`throw new Error('E11000 duplicate key, dup key: { email: "a@example.org" }')`);
    expect(output).toContain('dup key: [removed]');
    expect(output).not.toContain('a@example.org');
  });

  test('ends within seconds although nobody reads its log', async () => {
    const child = start(`
      for (let line = 0; line < 2_000; line += 1) log.info('x'.repeat(1_000));
      process.stderr.write('full');
      setTimeout(() => { throw new Error('now'); }, 100);
    `);
    if (child.stderr) await once(child.stderr, 'data');
    const began = performance.now();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(70);
    expect(performance.now() - began).toBeLessThan(4_000);
  });

  test('ends although whoever read its log is gone', async () => {
    const child = start(
      `process.stderr.write('up'); setTimeout(() => { log.info('more'); throw new Error('now'); }, 200)`,
    );
    if (child.stderr) await once(child.stderr, 'data');
    child.stdout?.destroy();
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(70);
  });

  test('whose log has no place any more goes on without it', async () => {
    const work = `
      for (let line = 0; line < 100; line += 1) setTimeout(() => log.info('x'.repeat(10_000)), line);
      setTimeout(() => process.stderr.write('here'), 500);
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 600);
    `;
    const child = startSample({ work, logTo: '/dev/full' });
    let said = '';
    child.stderr?.on('data', text => (said += String(text)));
    expect([await once(child, 'exit'), said]).toEqual([[0, null], 'here']);
  });

  test('that cannot accept a connection goes on', async () => {
    const { code, log } = await run(`
      const { channel } = await import('node:diagnostics_channel');
      channel('http.server.request.start').subscribe(({ server }) => server.emit('error', new Error('accept EMFILE')));
      const origin = 'http://127.0.0.1:' + process._getActiveHandles().find(one => one.address?.()?.port).address().port;
      for (const _ of [1, 2, 3]) await fetch(origin);
      process.kill(process.pid, 'SIGTERM');
    `);
    expect(code).toBe(0);
    expect(log.filter(({ msg }) => msg === 'a connection could not be accepted')).toHaveLength(3);
  });

  test('that meets none goes on, and ends with code 0 when it is asked to', async () => {
    const child = start(`process.stderr.write('up')`);
    child.stdout?.resume();
    if (child.stderr) await once(child.stderr, 'data');
    await new Promise(resolve => setTimeout(resolve, 500));
    expect(child.exitCode).toBe(null);
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
  });
});
