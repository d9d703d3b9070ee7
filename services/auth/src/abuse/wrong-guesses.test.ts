import { expect, test } from '@jest/globals';
import type { Request } from 'express';
import { createWrongGuesses } from './wrong-guesses.ts';

const from = (ip: string) => ({ ip }) as Request;

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
