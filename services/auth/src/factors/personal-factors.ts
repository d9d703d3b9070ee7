// The factors of one person, for whoever has shown to be them by the first factor: a sign-in on its way, or a request
// with their token. Decides with the store, and reads what is secret from the vault.
import { randomBytes } from 'node:crypto';
import { type Cause, type Id, newId, ProblemError, type TenantId } from '@reeve/contracts';
import type { Clock, Decision } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import {
  type Answered,
  addPasskey,
  answerPasskey,
  answerRecoveryCode,
  answerTotp,
  beginTotp,
  begunTotp,
  challengeOf,
  confirmTotp,
  type FactorId,
  type Factors,
  type FactorsOfPeople,
  type FactorView,
  giveChallenge,
  giveRecoveryCodes,
  isLocked,
  noFactors,
  type RemovedBecause,
  removeFactors,
  viewsOf,
} from './factor.ts';
import { assertionOptions, credentialIn, passkeyIn, type RelyingParty, registrationOptions } from './passkeys.ts';
import { hashOfRecoveryCode, newRecoveryCodes } from './recovery-codes.ts';
import { newTotpSecret, stepOfCode, totpUri } from './totp.ts';

/** In the vault: what codes by time are made of. */
const totpSecretClass = 'mfa-totp';

export type Owner = { tenantId: TenantId; userId: Id<'user'>; cause: Cause };
/** What the person's devices call them. */
export type Labelled = Owner & { label: string };

/** Who answers for a session, or for one that is about to begin. */
export type Answerer = Owner & { sessionId: Id<'session'> };

/** A factor that now counts, and the codes that came with the first. */
export type Enrolled = { factor: FactorView; recoveryCodes: string[] | null };

export type PersonalFactors = ReturnType<typeof createPersonalFactors>;

type Parts = { factors: FactorsOfPeople; vault: Vault; clock: Clock; product: string; rp: RelyingParty | null };

export function createPersonalFactors({ factors, vault, clock, product, rp }: Parts) {
  const secretOf = (id: string) => ({ secretClass: totpSecretClass, id });
  const newHandle = () => randomBytes(32).toString('base64url');
  const enrollerOf = ({ userId }: Owner) => ({ userId, now: clock.now() });
  const personOf = ({ userId, sessionId }: Answerer) => ({ userId, sessionId, now: clock.now() });

  async function read({ tenantId, userId }: Omit<Owner, 'cause'>): Promise<Factors> {
    return (await factors.in(tenantId).get(userId))?.state ?? noFactors(newHandle());
  }

  async function change({ tenantId, userId, cause }: Owner, decide: (state: Factors) => Decision<Factors>) {
    const handle = newHandle();
    const decideOn = (state: Factors | null) => decide(state ?? noFactors(handle));
    return (await factors.in(tenantId).change(userId, decideOn, { cause }))?.state ?? null;
  }

  /** What came of the answer in the decision that was saved. */
  async function answer(owner: Answerer, decide: (state: Factors) => Answered): Promise<Answered> {
    let answered: Answered = { decision: null, passed: null };
    await change(owner, state => {
      answered = decide(state);
      return answered.decision;
    });
    return answered;
  }

  async function stepOf({ tenantId, cause }: Owner, id: string, code: string): Promise<number | null> {
    const secret = await vault.read(tenantId, secretOf(id), { cause, purpose: 'second_factor' });
    return stepOfCode(secret.toString('utf8'), code, clock.now());
  }

  async function newCodes(owner: Owner): Promise<{ state: Factors | null; codes: string[] }> {
    const codes = newRecoveryCodes();
    const hashes = codes.map(code => hashOfRecoveryCode(owner.userId, code));
    const id = newId('factor');
    return { state: await change(owner, state => giveRecoveryCodes(state, { id, hashes }, enrollerOf(owner))), codes };
  }

  /** With the first that somebody has comes what they get in by without it. */
  async function enrolled(owner: Owner, id: FactorId, state: Factors): Promise<Enrolled> {
    const factor = viewsOf(owner.userId, state).find(one => one.id === id);
    if (!factor) throw new ProblemError('conflict');
    return { factor, recoveryCodes: state.recovery ? null : (await newCodes(owner)).codes };
  }

  /** Of a TOTP. A second time finds nothing. */
  const destroySecret = ({ tenantId, cause }: Pick<Owner, 'tenantId' | 'cause'>, { id }: { id: string }) =>
    vault.destroy(tenantId, secretOf(id), cause);

  return {
    read,

    /** Whether passkeys can be had at all. */
    hasPasskeys: rp !== null,

    async checkTotp(owner: Answerer, code: string): Promise<Answered> {
      const { totp, failures } = await read(owner);
      const isLooked = totp !== null && !isLocked({ failures }, clock.now());
      const step = isLooked ? await stepOf(owner, totp.id, code) : null;
      // Of another factor than was looked at, the code is none.
      return answer(owner, state => answerTotp(state, state.totp?.id === totp?.id ? step : null, personOf(owner)));
    },

    checkRecoveryCode: (owner: Answerer, code: string): Promise<Answered> =>
      answer(owner, state => answerRecoveryCode(state, hashOfRecoveryCode(owner.userId, code), personOf(owner))),

    /** For the browser of a sign-in, as JSON; null where the person has none. */
    async offerPasskeys(owner: Owner, signInId: string): Promise<string | null> {
      const { passkeys } = await read(owner);
      if (!rp || passkeys.length === 0) return null;
      const options = await assertionOptions(rp, passkeys);
      const given = { signInId, challenge: options.challenge, at: clock.now().toISOString() };
      await change(owner, state => giveChallenge(state, given, clock.now()));
      return JSON.stringify(options);
    },

    async checkPasskey(owner: Answerer, signInId: string, credential: string): Promise<Answered> {
      const { passkeys, userHandle, ...state } = await read(owner);
      const challenge = challengeOf({ passkeys, userHandle, ...state }, signInId, clock.now());
      const said =
        rp && challenge !== null
          ? await passkeyIn(rp, credential, { expectedChallenge: challenge, passkeys, userHandle })
          : ({ refused: 'expired' } as const);
      const asserted = 'refused' in said ? said : { passkeyId: said.passkey.id, counter: said.counter };
      return answer(owner, now => answerPasskey(now, { challenge, said: asserted }, personOf(owner)));
    },

    /** Throws `mfa_factor_exists`. */
    async beginTotp(owner: Labelled, name: string) {
      const id = newId('factor');
      if ((await read(owner)).totp) throw new ProblemError('mfa_factor_exists');
      const secret = newTotpSecret();
      await vault.put(owner.tenantId, secretOf(id), secret, owner.cause);
      const replaced: FactorId[] = [];
      await change(owner, state => {
        replaced.splice(0, 1, ...(state.begun ? [state.begun.id] : []));
        return beginTotp(state, { id, name, at: clock.now().toISOString() });
      });
      for (const id of replaced) await destroySecret(owner, { id });
      return { id, secret, uri: totpUri(secret, { product, person: owner.label }) };
    },

    /** The one that was begun, to be shown once more; null where it is over. */
    async begunTotp(owner: Labelled) {
      const begun = begunTotp(await read(owner), clock.now());
      if (!begun) return null;
      const access = { cause: owner.cause, purpose: 'second_factor' } as const;
      const secret = (await vault.read(owner.tenantId, secretOf(begun.id), access)).toString('utf8');
      return { id: begun.id, secret, uri: totpUri(secret, { product, person: owner.label }) };
    },

    /** Null for a wrong code, and for what was not begun, or too long ago. */
    async confirmTotp(owner: Owner, code: string, id?: string): Promise<Enrolled | null> {
      const begun = begunTotp(await read(owner), clock.now(), id as FactorId | undefined);
      if (!begun) return null;
      const step = await stepOf(owner, begun.id, code);
      let isConfirmed = false;
      const state = await change(owner, now => {
        const decision = confirmTotp(now, { id: begun.id, step }, enrollerOf(owner));
        isConfirmed = decision !== null;
        return decision;
      });
      return isConfirmed && state ? enrolled(owner, begun.id, state) : null;
    },

    /** For the browser of a sign-in, as JSON. Null where there are none to be had. */
    async beginPasskey(owner: Labelled, signInId: string): Promise<string | null> {
      if (!rp) return null;
      // The handle that authenticators keep is saved before one gets it.
      const state = await change(owner, now => ({ state: now, events: [] }));
      if (!state) throw new ProblemError('conflict');
      const options = await registrationOptions(rp, { ...state, label: owner.label });
      const given = { signInId, challenge: options.challenge, at: clock.now().toISOString() };
      await change(owner, now => giveChallenge(now, given, clock.now()));
      return JSON.stringify(options);
    },

    /** Null for what does not hold, and for what was begun elsewhere or too long ago. */
    async confirmPasskey(owner: Owner, signInId: string, given: { credential: string; name: string }) {
      const challenge = challengeOf(await read(owner), signInId, clock.now());
      if (!rp || challenge === null) return null;
      const credential = await credentialIn(rp, given.credential, challenge);
      if (!credential) return null;
      const id = newId('factor');
      const createdAt = clock.now().toISOString();
      const passkey = { ...credential, id, name: given.name, createdAt, lastUsedAt: null };
      let isAdded = false;
      const state = await change(owner, now => {
        const decision = addPasskey(now, { challenge, passkey }, enrollerOf(owner));
        isAdded = decision !== null;
        return decision;
      });
      return isAdded && state ? enrolled(owner, id, state) : null;
    },

    /** Throws `mfa_factor_needed`. */
    async replaceRecoveryCodes(owner: Owner): Promise<Enrolled> {
      const { state, codes } = await newCodes(owner);
      const factor = state && viewsOf(owner.userId, state).find(({ kind }) => kind === 'recovery_codes');
      if (!factor) throw new ProblemError('conflict');
      return { factor, recoveryCodes: codes };
    },

    /** Those with these ids, or all. Returns what is gone. */
    async remove(owner: Owner, which: readonly string[] | 'all', because: RemovedBecause): Promise<FactorView[]> {
      let gone: FactorView[] = [];
      let begun: Factors['begun'] = null;
      await change(owner, state => {
        const ids = which === 'all' ? state.factorIds : which;
        const removed = removeFactors(state, ids, { userId: owner.userId, because });
        ({ gone } = removed);
        begun = which === 'all' ? state.begun : null;
        return removed.decision;
      });
      // That of one that counted goes when its removal is told.
      if (begun !== null) await destroySecret(owner, begun);
      return gone;
    },

    destroySecret,

    /** Whose factor that is in the tenant; null for one that nobody there has. */
    async ownerOf(tenantId: TenantId, factorId: string): Promise<Id<'user'> | null> {
      const { items } = await factors.in(tenantId).list('byFactor', { factorIds: factorId }, { limit: 1 });
      return (items[0]?.id as Id<'user'> | undefined) ?? null;
    },
  };
}
