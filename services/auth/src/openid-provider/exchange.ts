// What an exchange of tokens comes to (RFC 8693): decided by what the subject token says and by the policy of the API
// that the new one is for. It is never wider: not in scopes, not in time, not in who may act. Pure.
import type { ExchangeRefusal, TenantId } from '@reeve/contracts';
import type { ExchangePolicy } from '../resource-servers/exchange-policy.ts';
import type { SessionId } from '../sessions/session.ts';

/** Who acts, and for whom (§4.1): the outermost is the one that acts now. */
export type Act = {
  sub: string;
  client_id?: string | undefined;
  /** Of one that is known elsewhere. */
  iss?: string | undefined;
  act?: Act | undefined;
};

/** What an access token says that somebody has presented. Times are in seconds. */
export type PresentedToken = {
  sub: string;
  client_id: string;
  aud: string;
  scope: string;
  iat: number;
  exp: number;
  tid: TenantId;
  /** Of a person's. */
  sid?: SessionId | undefined;
  auth_time?: number | undefined;
  acr?: string | undefined;
  amr?: string[] | undefined;
  surface?: string | undefined;
  client_tokens_from?: string | undefined;
  grant_id?: string | undefined;
  act?: Act | undefined;
  may_act?: Record<string, unknown> | undefined;
  /** The key that it is bound to. */
  cnf?: { jkt: string } | undefined;
};

type Asked = {
  policy: ExchangePolicy;
  subject: PresentedToken;
  /** Whose token says who acts; null where the application that asks does. */
  actor: PresentedToken | null;
  clientId: string;
  issuer: string;
  /** The one that may act by tokens of the subject token's API, as that API has it now. */
  onlyActor: string | null;
  /** Null for all that there is. */
  scopes: readonly string[] | null;
  /** The new token will be bound to a key. */
  isBound: boolean;
};

export type Refusal = { refused: ExchangeRefusal; detail: string; scope?: string };
export type Exchange = { scopes: string[]; act: Act; mayAct: Record<string, unknown> | undefined; expiresBy: number };

/** Longer than what anybody has a use for, and short enough for a token in a header. */
const longestChain = 4;

/** In seconds since 1970, `expiresBy` is the last moment that the tokens leave; the policy and the API may say less. */
export function decideExchange(asked: Asked): Exchange | Refusal {
  const { policy, subject, actor, clientId, issuer, onlyActor, isBound } = asked;
  const notActor = wrongInActor(asked);
  if (notActor !== null) return { refused: 'actor_refused', detail: notActor };
  const acting = actor ?? { sub: clientId, client_id: clientId };
  // Asked each time, of whoever acts now: a token that was got without an actor must be good for no other than it was.
  const isOther = onlyActor !== null && onlyActor !== acting.sub;
  if (isOther || !isMet(subject.may_act, { iss: issuer, sub: acting.sub, client_id: acting.client_id }))
    return { refused: 'actor_refused', detail: 'who acts is none that may act by the subject token' };
  if ((subject.cnf ?? actor?.cnf) && !isBound)
    return { refused: 'proof_missing', detail: 'a token is bound to a key, so a DPoP proof is needed' };
  const act: Act = {
    sub: acting.sub,
    client_id: acting.client_id,
    ...(subject.act === undefined ? {} : { act: subject.act }),
  };
  if (actorsOf(act).length > longestChain)
    return { refused: 'chain_too_long', detail: `a token has ${longestChain} actors at most` };
  const granted = scopesBy(policy, subject, asked.scopes);
  if ('refused' in granted) return granted;
  return {
    ...granted,
    act,
    // Whoever was the only one that may act stays it: otherwise any exchange would let in the others.
    mayAct: subject.may_act,
    expiresBy: Math.min(subject.exp, actor?.exp ?? subject.exp),
  };
}

function wrongInActor({ policy, subject, actor }: Asked): string | null {
  if (!actor) return policy.actor === 'required' ? 'an actor_token is required' : null;
  if (policy.actor === 'refused') return 'no actor_token is taken here';
  if (actor.sub === subject.sub) return 'nobody acts for themselves';
  // Who that would be: the one, or whoever acts for them?
  return actor.act === undefined ? null : 'the actor_token is of somebody for whom another acts';
}

/** What this does not know cannot be compared, and so is not met. */
function isMet(mayAct: Record<string, unknown> | undefined, actor: Record<string, unknown>): boolean {
  if (mayAct === undefined) return true;
  return 'sub' in mayAct && Object.entries(mayAct).every(([name, value]) => actor[name] === value);
}

function scopesBy(
  policy: ExchangePolicy,
  subject: PresentedToken,
  asked: readonly string[] | null,
): { scopes: string[] } | Refusal {
  const held = new Set(subject.scope.split(' '));
  const possible = policy.scopes.filter(({ requires }) => requires.every(one => held.has(one))).map(({ name }) => name);
  const tooMuch = asked?.find(one => !possible.includes(one));
  if (tooMuch !== undefined)
    return { refused: 'scope_refused', detail: 'the subject token is not good for it', scope: tooMuch };
  const scopes = asked ? possible.filter(one => asked.includes(one)) : possible;
  if (scopes.length > 0) return { scopes };
  const all = policy.scopes.map(({ name }) => name).join(' ');
  return { refused: 'scope_refused', detail: 'the subject token is good for none of these', scope: all };
}

/** The last one first. */
export const actorsOf = ({ sub, act }: Act): string[] => [sub, ...(act ? actorsOf(act) : [])];
