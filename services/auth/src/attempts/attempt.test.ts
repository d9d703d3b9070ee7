import { expect, test } from '@jest/globals';
import { type Attempt, viewWithSteps } from './attempt.ts';

test('what others have said stays on the line of its own in the text for support', () => {
  const now = new Date().toISOString();
  const state: Attempt = {
    outcome: 'failed',
    reason: 'refused_by_provider',
    cause: 'person_cancelled',
    startedAt: now,
    updatedAt: now,
    connectionId: null,
    method: 'oidc',
    clientId: 'app',
    userId: null,
    email: null,
    ip: null,
    userAgent: 'a browser\r\noutcome: succeeded',
    reference: null,
    steps: [
      {
        at: now,
        step: 'go',
        ms: 1,
        outcome: 'failed',
        seen: { description: 'no\noutcome: succeeded\u2028user: admin' },
      },
    ],
  };
  const { text } = viewWithSteps({ id: 'an attempt', version: 1, changedAt: new Date(), state });
  expect(text.split(/[\n\r\u2028\u2029]/).filter(line => line.trimStart().startsWith('outcome:'))).toEqual([
    'outcome: failed',
  ]);
  expect(text).not.toMatch(/^\s*user: admin/m);
});
