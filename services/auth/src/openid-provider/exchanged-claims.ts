// What the token that an exchange makes is to say, from when that is decided until the library asks for claims.
import type { PresentedToken } from './exchange.ts';
import { requestScope } from './request-scope.ts';

/** How somebody has signed in is what the subject token says, also where the session says more by now. */
type ExchangedClaims = Pick<
  PresentedToken,
  'tid' | 'sid' | 'amr' | 'acr' | 'auth_time' | 'surface' | 'grant_id' | 'act' | 'may_act'
> & { delegated_by?: string };

const key = 'claims of the exchange';

/** Of the one token that this request makes. */
export function sayInExchange(claims: ExchangedClaims): void {
  const said = Object.entries(claims).filter(([, value]) => value !== undefined);
  requestScope().remember(key, Object.fromEntries(said));
}

/** Null where the request exchanges nothing. */
export const saidInExchange = (): Promise<object | null> => requestScope().read<object | null>(key, async () => null);
