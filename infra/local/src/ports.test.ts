import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { repositoryRoot } from './paths.ts';
import { assertFree, freePorts, portsFromEnvironment, portVariables } from './ports.ts';

test('every port is moved by a variable of its own, and stays where it is without', () => {
  for (const { name, variable, port } of portVariables) {
    expect(portsFromEnvironment({})[name]).toBe(port);
    const moved = portsFromEnvironment({ [variable]: '5001' });
    expect(Object.entries(moved).filter(([, one]) => one === 5001)).toEqual([[name, 5001]]);
  }
  expect(portVariables.map(({ variable }) => variable)).toContain('REEVE_CONNECTOR_CONSENT_METRICS_PORT');
});

test.each(['http', '70000', '-1'])('%s is refused as a port, with the name of the variable', given => {
  expect(() => portsFromEnvironment({ REEVE_AUTH_PORT: given })).toThrow(`REEVE_AUTH_PORT is not a port number`);
});

test('the README names each of them', () => {
  const readme = readFileSync(join(repositoryRoot, 'README.md'), 'utf8');
  expect(portVariables.filter(({ variable }) => !readme.includes(`\`${variable}\``))).toEqual([]);
});

test('an empty variable moves nothing', () => {
  expect(portsFromEnvironment({ REEVE_AUTH_PORT: '' }).auth).toBe(4001);
});

test('a port that is taken is named, with the variable that moves it', async () => {
  const { audit } = await freePorts();
  await expect(assertFree({ audit })).resolves.toBeUndefined();
  const other = createServer();
  await new Promise<void>(resolve => other.listen(audit, () => resolve()));
  await expect(assertFree({ audit })).rejects.toThrow(`port ${audit} (audit) is taken`);
  await expect(assertFree({ audit })).rejects.toThrow('REEVE_AUDIT_PORT');
  await new Promise(resolve => other.close(resolve));
});

test('free ports are each another one', async () => {
  const ports = Object.values(await freePorts());
  expect(new Set(ports).size).toBe(portVariables.length);
});
