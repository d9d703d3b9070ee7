import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { acrOf, levelAskedIn, type StepUp } from '../factors/level.ts';
import {
  demandOf,
  demandOfAction,
  handsOnRights,
  isMet,
  levelTrusted,
  noStepUpPolicy,
  type StepUpPolicy,
  set,
  stepUpPolicySchema,
} from './step-up-policy.ts';

const [mfa, resistant] = ['urn:reeve:acr:mfa', 'urn:reeve:acr:phishing-resistant'];
const tenantId = newId('tenant');
const now = new Date('2026-11-27T08:00:00.000Z');
const reached = (level: StepUp['level'], secondsAgo = 0): StepUp => ({
  level,
  by: 'totp',
  factorId: null,
  amr: [],
  at: new Date(now.getTime() - secondsAgo * 1_000).toISOString(),
});
const policy: StepUpPolicy = {
  ...noStepUpPolicy,
  everywhere: { level: 'mfa', maxAgeSeconds: 3_600 },
  surfaces: [{ surface: 'console', level: 'phishing_resistant', maxAgeSeconds: 7_200 }],
};

describe('what is demanded', () => {
  test('is nothing where nobody says so', () => {
    expect(demandOf(noStepUpPolicy, { surface: 'console', levelAsked: null })).toBeNull();
    expect(set(tenantId, null, noStepUpPolicy)).toBeNull();
  });

  test('is the most of what each says: application, surface and tenant', () => {
    expect(demandOf(policy, { surface: 'embed', levelAsked: null })).toEqual({ level: 'mfa', maxAgeSeconds: 3_600 });
    const both = { level: 'phishing_resistant', maxAgeSeconds: 3_600 };
    expect(demandOf(policy, { surface: 'console', levelAsked: null })).toEqual(both);
    expect(demandOf(policy, { surface: 'embed', levelAsked: 'phishing_resistant' })).toEqual(both);
    expect(demandOf(noStepUpPolicy, { surface: 'embed', levelAsked: 'mfa' })).toEqual({
      level: 'mfa',
      maxAgeSeconds: null,
    });
  });

  test('is met by that level or a higher one, as long as it is fresh', () => {
    expect(isMet({ level: 'mfa', maxAgeSeconds: null }, null, now)).toBe(false);
    expect(isMet({ level: 'mfa', maxAgeSeconds: null }, reached('phishing_resistant', 99_999), now)).toBe(true);
    expect(isMet({ level: 'phishing_resistant', maxAgeSeconds: null }, reached('mfa'), now)).toBe(false);
    expect(isMet({ level: 'mfa', maxAgeSeconds: 60 }, reached('mfa', 60), now)).toBe(true);
    expect(isMet({ level: 'mfa', maxAgeSeconds: 60 }, reached('mfa', 61), now)).toBe(false);
  });

  test.each([
    ['a surface twice', { surfaces: [policy.surfaces[0], policy.surfaces[0]] }],
    [
      'an action at whose pages nobody can be asked',
      { actions: [{ action: 'consents:write', level: 'mfa', maxAgeSeconds: null }] },
    ],
    [
      'an action that is the platform’s',
      { actions: [{ action: 'signing-keys:write', level: 'mfa', maxAgeSeconds: null }] },
    ],
    ['trust without a word', { trusted: [{ connectionId: null, level: 'mfa', acr: [], amr: [] }] }],
    ['a level of ours by its acr', { everywhere: { level: mfa, maxAgeSeconds: null } }],
  ])('can not be %s', (_, wrong) => {
    expect(stepUpPolicySchema.safeParse(noStepUpPolicy).success).toBe(true);
    expect(stepUpPolicySchema.safeParse({ ...noStepUpPolicy, ...wrong }).success).toBe(false);
  });
});

test('what is demanded for actions is told to the other services, and no other change is', () => {
  const actions: StepUpPolicy['actions'] = [
    { action: 'webhooks:write', level: 'mfa', maxAgeSeconds: 600 },
    { action: 'audit:export', level: 'phishing_resistant', maxAgeSeconds: null },
  ];
  const told = (policyNow: StepUpPolicy, before = noStepUpPolicy) =>
    set(tenantId, before, policyNow)?.events.flatMap(one =>
      'topic' in one ? [JSON.parse(String(one.data)) as object] : [],
    );
  expect(told({ ...noStepUpPolicy, actions })).toMatchObject([
    {
      kind: 'step_up',
      id: tenantId,
      demands: [
        { action: 'webhooks:write', acrValues: [mfa, resistant], maxAgeSeconds: 600 },
        { action: 'audit:export', acrValues: [resistant], maxAgeSeconds: null },
        ...handsOnRights.map(action => ({
          action,
          acrValues: [resistant],
          maxAgeSeconds: 600,
        })),
      ],
    },
  ]);
  expect(told(noStepUpPolicy, { ...noStepUpPolicy, actions })).toMatchObject([{ demands: [] }]);
  expect(told({ ...policy, actions }, { ...noStepUpPolicy, actions })).toEqual([]);
});

test('what hands on the rights to others has to meet the demand of each', () => {
  const actions: StepUpPolicy['actions'] = [
    { action: 'webhooks:write', level: 'mfa', maxAgeSeconds: 600 },
    { action: 'policies:write', level: 'phishing_resistant', maxAgeSeconds: null },
  ];
  const demanding = { ...noStepUpPolicy, actions };
  const both = { level: 'phishing_resistant', maxAgeSeconds: 600 };
  for (const action of ['clients:write', 'users:write', 'connections:write', 'domains:write'])
    expect(demandOfAction(demanding, action)).toEqual(both);
  expect(demandOfAction(demanding, 'webhooks:write')).toMatchObject({ level: 'mfa', maxAgeSeconds: 600 });
  expect(demandOfAction(demanding, 'clients:read')).toBeNull();
});

test('a provider’s word counts as far as a rule for its connection says', () => {
  const trusting: StepUpPolicy = {
    ...noStepUpPolicy,
    trusted: [
      { connectionId: 'con_1', level: 'mfa', acr: ['strong'], amr: ['mfa'] },
      { connectionId: null, level: 'phishing_resistant', acr: [], amr: ['hwk'] },
    ],
  };
  const said = (connectionId: string, acr: string | null, amr: string[] = []) =>
    levelTrusted(trusting, { connectionId, acr, amr });
  expect(said('con_1', 'strong')).toBe('mfa');
  expect(said('con_1', null, ['pwd', 'mfa'])).toBe('mfa');
  expect(said('con_2', 'strong', ['mfa'])).toBeNull();
  expect(said('con_2', null, ['hwk'])).toBe('phishing_resistant');
  expect(said('con_1', 'strong', ['hwk'])).toBe('phishing_resistant');
  expect(said('con_1', 'STRONG', ['pwd'])).toBeNull();
  expect(levelTrusted(noStepUpPolicy, { connectionId: 'con_1', acr: 'strong', amr: ['mfa'] })).toBeNull();
});

test.each([
  mfa,
  'URN:Reeve:ACR:mfa',
  ` ${mfa} `,
  `${mfa}\u200b`,
  `urn:reeve:\u00adacr:mfa`,
  'ｕrn:reeve:acr:mfa',
  `strong ${resistant}`,
])('a provider that says %j has said nothing', acr => {
  expect(acrOf({ acr })).toBeNull();
  expect(acrOf({ acr: 'urn:other:acr:mfa' })).toBe('urn:other:acr:mfa');
});

test('what is told is the highest that was reached, or what was asked for where that is true as well', () => {
  const of = (asked: string[], stepUp: StepUp | null, acr: string | null = 'theirs') => acrOf({ acr, stepUp }, asked);
  expect(of([], null)).toBe('theirs');
  expect(of([mfa ?? ''], null)).toBe('theirs');
  expect(of([], reached('phishing_resistant'))).toBe(resistant);
  expect(of([mfa ?? ''], reached('phishing_resistant'))).toBe(mfa);
  expect(of([mfa ?? '', resistant ?? ''], reached('phishing_resistant'))).toBe(resistant);
  expect(of([resistant ?? ''], reached('mfa'))).toBe(mfa);
  expect(of(['theirs'], reached('mfa'))).toBe('theirs');
  expect(levelAskedIn(['x', resistant ?? '', mfa ?? ''])).toBe('mfa');
  expect(levelAskedIn(['urn:reeve:acr:everything'])).toBeNull();
});
