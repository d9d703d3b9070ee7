// A person's own factors, by their access token. Passkeys are enrolled at a browser (`enrol` of an authorization
// request), since they belong to the issuer's pages.
import { ProblemError } from '@reeve/contracts';
import { ownRoute, pageOf } from '@reeve/service-kit';
import { z } from 'zod';
import type { Sessions } from '../sessions/session.ts';
import type { AssertFactorShown } from './assert-factor-shown.ts';
import { factorView, viewsOf } from './factor.ts';
import type { LapseLevels } from './lapse-levels.ts';
import type { Owner, PersonalFactors } from './personal-factors.ts';

type Parts = {
  personal: PersonalFactors;
  lapseLevels: LapseLevels;
  assertFactorShown: AssertFactorShown;
  sessions: Sessions;
};

const path = '/v1/me/factors';
const common = { action: 'mfa-factors:write' } as const;

/** What the person's application calls the account by. */
async function labelOf({ sessions }: Parts, { tenantId, userId }: Owner, sessionId: string | null): Promise<string> {
  const session = sessionId === null ? null : await sessions.in(tenantId).get(sessionId);
  return session?.state.email ?? session?.state.displayName ?? userId;
}

const codes = z.array(z.string()).nullable();
const begun = z.object({
  id: z.string(),
  kind: z.enum(['totp', 'recovery_codes']),
  status: z.enum(['begun', 'enrolled']),
  /** Of a TOTP: for the person's application, by hand or by picture. */
  secret: z.string().nullable(),
  uri: z.string().nullable(),
  recoveryCodes: codes,
});
const enrolled = factorView.extend({ recoveryCodes: codes });
const name = z.string().trim().max(60).default('');
const code = z.string().regex(/^[\d ]{6,12}$/, 'must be six digits');

export const listOwnFactors = ({ personal }: Pick<Parts, 'personal'>) =>
  ownRoute({
    method: 'get',
    path,
    summary: 'List your own second factors',
    action: 'mfa-factors:read',
    response: pageOf(factorView),
    async handle({ tenantId, caller: { id: userId } }) {
      const items = viewsOf(userId, await personal.read({ tenantId, userId }));
      return { body: { items, nextCursor: null } };
    },
  });

export const beginOwnFactor = (parts: Parts) =>
  ownRoute({
    ...common,
    method: 'post',
    path,
    summary: 'Begin to enrol a TOTP, which a code of it confirms, or get new recovery codes; shows them once',
    body: z.strictObject({ kind: z.enum(['totp', 'recovery_codes']), name }),
    status: 201,
    response: begun,
    withoutSecrets: body => ({ ...body, secret: null, uri: null, recoveryCodes: null }),
    async handle({ tenantId, caller, cause, body: { kind, name: named } }) {
      const owner = { tenantId, userId: caller.id, cause };
      await parts.assertFactorShown(tenantId, caller);
      if (kind === 'recovery_codes') {
        const { factor, recoveryCodes } = await parts.personal.replaceRecoveryCodes(owner);
        return { body: { id: factor.id, kind, status: 'enrolled' as const, secret: null, uri: null, recoveryCodes } };
      }
      const label = await labelOf(parts, owner, caller.sessionId);
      const { id, secret, uri } = await parts.personal.beginTotp({ ...owner, label }, named);
      return { body: { id, kind, status: 'begun' as const, secret, uri, recoveryCodes: null } };
    },
  });

export const confirmOwnFactor = (parts: Parts) =>
  ownRoute({
    ...common,
    method: 'post',
    path: `${path}/{factorId}:confirm`,
    summary: 'Confirm a TOTP by a code of it; with the first factor come recovery codes, shown once',
    body: z.strictObject({ code }),
    response: enrolled,
    withoutSecrets: body => ({ ...body, recoveryCodes: null }),
    async handle({ tenantId, caller, cause, params: { factorId }, body }) {
      const owner = { tenantId, userId: caller.id, cause };
      await parts.assertFactorShown(tenantId, caller);
      const made = await parts.personal.confirmTotp(owner, body.code, factorId);
      if (!made) throw new ProblemError('mfa_code_refused');
      return { body: { ...made.factor, recoveryCodes: made.recoveryCodes } };
    },
  });

export const removeOwnFactor = (parts: Parts) =>
  ownRoute({
    ...common,
    method: 'delete',
    path: `${path}/{factorId}`,
    summary: 'Remove a second factor of your own; what a session has reached by it lapses',
    status: 204,
    async handle({ tenantId, caller, cause, params: { factorId } }) {
      const owner = { tenantId, userId: caller.id, cause };
      await parts.assertFactorShown(tenantId, caller);
      const gone = await parts.personal.remove(owner, [factorId], 'removed_by_owner');
      // Somebody else's is not there.
      if (gone.length === 0) throw new ProblemError('not_found');
      await parts.lapseLevels(owner, gone);
      return { body: undefined };
    },
  });
