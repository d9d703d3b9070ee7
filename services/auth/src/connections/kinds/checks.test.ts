import { describe, expect, test } from '@jest/globals';
import { checksOf, type Stage } from './checks.ts';

const stages: Stage[] = [
  { returned: ['response_mismatch'] },
  { signed: ['id_token_signature'], timely: ['id_token_time'] },
  { named: ['subject_missing'] },
];
const outcomes = (...of: Parameters<typeof checksOf>) => checksOf(...of).map(({ outcome }) => outcome);

describe('the checks of a test', () => {
  test('have all passed where nothing failed', () => {
    expect(outcomes(stages, null)).toEqual(['passed', 'passed', 'passed', 'passed']);
  });

  test('before the one that failed have passed, and of the others nothing is claimed', () => {
    expect(outcomes(stages, 'response_mismatch')).toEqual(['failed', 'not_reached', 'not_reached', 'not_reached']);
    expect(outcomes(stages, 'id_token_time')).toEqual(['passed', 'not_reached', 'failed', 'not_reached']);
    expect(outcomes(stages, 'subject_missing')).toEqual(['passed', 'passed', 'passed', 'failed']);
  });

  test('are all open after a failure that is of none of them', () => {
    expect(new Set(outcomes(stages, 'dependency_unavailable'))).toEqual(new Set(['not_reached']));
  });
});
