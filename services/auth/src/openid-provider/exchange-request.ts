// What a request for an exchange says (RFC 8693 §2.1). That a parameter is there once the library sees to.
import { errors, type TokenEndpointGrantContext } from 'oidc-provider';
import type { ResourceServer } from '../resource-servers/resource-server.ts';

const accessToken = 'urn:ietf:params:oauth:token-type:access_token';

/** ID tokens and refresh tokens are none that an API is shown. */
const types = { [accessToken]: 'any', 'urn:ietf:params:oauth:token-type:jwt': 'jwt' } as const;
type TokenType = keyof typeof types;

const isTaken = (type: string): type is TokenType => Object.hasOwn(types, type);

export const exchangeParameters = [
  'subject_token',
  'subject_token_type',
  'actor_token',
  'actor_token_type',
  'requested_token_type',
  'resource',
  'audience',
  'scope',
] as const;
/** These may be there several times (§2.1). */
export const repeatable = ['resource', 'audience'] as const;
export type ExchangeParameters = Partial<Record<(typeof exchangeParameters)[number], string | string[]>>;
export type ExchangeContext = TokenEndpointGrantContext<ExchangeParameters>;

export type Presented = { token: string; form: 'any' | 'jwt' };

export function readExchange({ oidc: { params } }: ExchangeContext) {
  const one = (name: keyof ExchangeParameters): string | undefined => {
    const value = params[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const presented = (which: 'subject' | 'actor'): Presented | null => {
    const [token, type] = [one(`${which}_token`), one(`${which}_token_type`)];
    if (token === undefined && type === undefined) return null;
    if (token === undefined || type === undefined)
      throw new errors.InvalidRequest(`${which}_token and ${which}_token_type come together`);
    if (!isTaken(type))
      throw new errors.InvalidRequest(`${which}_token_type has to be one of ${Object.keys(types).join(', ')}`);
    return { token, form: types[type] };
  };
  const subject = presented('subject');
  if (!subject) throw new errors.InvalidRequest('subject_token and subject_token_type are required');
  const scopes = one('scope')?.split(' ');
  return {
    subject,
    actor: presented('actor'),
    requestedType: one('requested_token_type') ?? accessToken,
    targets: [...new Set([params.resource ?? [], params.audience ?? []].flat())],
    /** Null for all that there is. */
    scopes: scopes ? scopes.filter(scope => scope !== '') : null,
  };
}

/** What is issued is the same under either name, where it is a JWT. */
export function assertIssued(type: string, { format }: ResourceServer): TokenType {
  if (isTaken(type) && (types[type] === 'any' || format === 'jwt')) return type;
  throw new errors.InvalidRequest('requested_token_type is none that is issued for that API');
}
