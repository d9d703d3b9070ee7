import { describe, expect, test } from '@jest/globals';
import { newId, serviceCause } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { html } from '@reeve/service-kit';
import { advance, SignInError } from './dispatch.ts';
import { newSignIn, type StepName } from './sign-in.ts';
import type { Asked, Step, Steps } from './step.ts';

const tenantId = newId('tenant');
const connectionId = newId('connection');
const signIn = newSignIn({
  startedAt: '2026-11-25T12:00:00.000Z',
  clientId: 'an application',
  surface: 'application',
  boundTo: null,
  tenantAsked: null,
  connectionAsked: null,
  authKeyAsked: null,
  domainAsked: null,
  linkAsked: false,
  acrsAsked: [],
  levelAsked: null,
  enrolAsked: null,
  stepUpOf: null,
  wish: { again: false, isDemanded: false },
});
const askedAt = (step: StepName): Asked => ({
  uid: 'a sign-in',
  signIn: { ...signIn, step },
  answer: new URLSearchParams(),
  search: '',
  returnedBy: null,
  cause: serviceCause('auth', { correlationId: 'c' }),
  current: async () => null,
});
const unexpected: Step = async ({ signIn: { step } }) => {
  throw new Error(`nobody should come to ${step}`);
};
const page = { title: 'Which?', content: html`<p>Which?</p>` };

/** Those that a test is about, and nothing behind them. */
const steps = (some: Partial<Steps>): Steps => ({
  'choose-home-realm': unexpected,
  'go-to-provider': unexpected,
  'return-from-provider': unexpected,
  'confirm-link': unexpected,
  'resolve-person': unexpected,
  'second-factor': unexpected,
  'begin-session': unexpected,
  ...some,
});

const entry = (step: StepName, outcome: string, seen = {}) => ({
  at: expect.any(String),
  ms: expect.any(Number),
  step,
  outcome,
  seen,
});

describe('a sign-in', () => {
  test('goes from step to step with what was learnt, until the browser leaves', async () => {
    const seen: unknown[] = [];
    const advanced = await advance(
      steps({
        'choose-home-realm': async () => ({
          next: 'go-to-provider',
          learnt: { tenantId, connectionId },
          seen: { rule: 'a rule' },
        }),
        'go-to-provider': async asked => {
          seen.push(asked.signIn.tenantId, asked.cause.context.connectionId, asked.cause.context.clientId);
          return { leaveFor: 'https://idp.example', comesBackAt: 'return-from-provider', learnt: { pending: 1 } };
        },
      }),
      askedAt('choose-home-realm'),
    );
    expect(seen).toEqual([tenantId, connectionId, 'an application']);
    expect(advanced).toEqual({
      leaveFor: 'https://idp.example',
      signIn: {
        ...signIn,
        tenantId,
        connectionId,
        pending: 1,
        step: 'return-from-provider',
        trace: [entry('choose-home-realm', 'done', { rule: 'a rule' }), entry('go-to-provider', 'left')],
      },
    });
  });

  test('stays at the step that asks the person', async () => {
    const asking = steps({ 'choose-home-realm': async () => ({ ask: page }) });
    const trace = [entry('choose-home-realm', 'asked')];
    expect(await advance(asking, askedAt('choose-home-realm'))).toEqual({ page, signIn: { ...signIn, trace } });
  });

  test('is over when somebody is signed in', async () => {
    const [userId, sessionId] = [newId('user'), newId('session')];
    const signedIn = { tenantId, sessionId, userId, amr: ['fed'], acr: null, authenticatedAt: signIn.startedAt };
    const last = steps({ 'begin-session': async () => ({ signedIn }) });
    expect(await advance(last, askedAt('begin-session'))).toMatchObject({ signedIn });
  });

  test('that goes wrong says at which step, with what was known by then, and why', async () => {
    const wrong = new StepError('provider_unreachable', { seen: { found: 'nothing' } });
    const failing = steps({
      'choose-home-realm': async () => ({ next: 'go-to-provider', learnt: { connectionId } }),
      'go-to-provider': async () => {
        throw wrong;
      },
    });
    const error: unknown = await advance(failing, askedAt('choose-home-realm')).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SignInError);
    expect(error).toMatchObject({
      cause: wrong,
      signIn: {
        step: 'go-to-provider',
        connectionId,
        trace: [entry('choose-home-realm', 'done'), entry('go-to-provider', 'failed', { found: 'nothing' })],
      },
      asked: { correlationId: 'c', context: { connectionId, clientId: 'an application' } },
    });
  });
});
