import { expect, test } from '@jest/globals';
import type { Request } from 'express';
import { createWrongGuesses, networkOf } from './wrong-guesses.ts';

const from = (ip: string) => ({ ip }) as Request;

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
])('%s is of %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('whoever is wrong too often waits, also where they are right; nobody else does', async () => {
  const guesses = createWrongGuesses({ isLimited: true });
  const may = (ip: string, about: string) => guesses.assertMayGuess('client_secret', from(ip), about);
  for (let count = 0; count < 30; count += 1) {
    await may('192.0.2.1', 'one');
    await guesses.wasWrong('client_secret', from('192.0.2.1'), 'one');
  }
  await expect(may('192.0.2.1', 'one')).rejects.toMatchObject({ code: 'rate_limited', retryAfterSeconds: 300 });
  await may('192.0.2.1', 'other');
  await may('192.0.2.2', 'one');
  await guesses.assertMayGuess('device_code', from('192.0.2.1'));
});
