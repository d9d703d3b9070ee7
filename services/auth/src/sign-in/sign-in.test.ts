import { expect, test } from '@jest/globals';
import { newEventId, serviceCause } from '@reeve/contracts';
import { inRequestScope, requestScope } from '../openid-provider/request-scope.ts';
import { createSignInRecords, newSignIn, type SignIn } from './sign-in.ts';

const waiting: SignIn = {
  ...newSignIn({
    startedAt: new Date().toISOString(),
    clientId: 'app',
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
  }),
  step: 'return-from-provider',
};

/** One row, as the store has it between two requests. */
function stored() {
  let row: unknown = { interaction: '{}', signIn: waiting };
  const records = createSignInRecords({
    clock: { now: () => new Date(), newEventId },
    records: {
      get: async () => ({ row, version: 1 }),
      put: async (_: string, next: unknown) => {
        row = next;
      },
      async change(_: string, decide: (was: unknown) => { row: unknown } | null) {
        row = decide(row)?.row ?? row;
        return { row, version: 1 };
      },
    } as never,
  });
  const request = <T>(work: () => Promise<T>) =>
    inRequestScope(serviceCause('auth', { correlationId: 'c' }), async () => {
      const result = await work();
      await requestScope().flush();
      return result;
    });
  return { records, request };
}

test('what came back is looked at by one request, and by another one after the person has begun anew', async () => {
  const { records, request } = stored();
  const take = (isMeant = true) => request(() => records.takeReturn('uid', () => isMeant));
  // One for somebody else uses nothing up.
  expect(await take(false)).toBeNull();
  expect(await take()).toEqual(waiting);
  // The first request has ended in between.
  expect(await take()).toBeNull();
  await request(() => records.save('uid', waiting));
  expect(await take()).toEqual(waiting);
});
