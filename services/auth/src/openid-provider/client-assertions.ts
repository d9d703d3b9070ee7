// What is demanded of the assertion by which an application proves itself (RFC 7523), besides what the library sees to:
// its signature, its issuer and subject, an audience that is ours, and that it counts once.
import { errors } from 'oidc-provider';

type Said = Record<string, unknown>;
export type Assertion = { claims: Said; header: Said };

const longestSeconds = 3_600;
const skewSeconds = 60;
const types = [undefined, 'JWT', 'jwt', 'client-authentication+jwt'];

/** Kept as used until it ends, meant for nobody besides us, and no token of another kind. */
export function assertPlain({ claims, header }: Assertion, { now, issuer }: { now: Date; issuer: string }): void {
  const { exp, iat, aud } = claims;
  const { typ, crit, kid } = header;
  const seconds = now.getTime() / 1_000;
  if (typeof exp !== 'number' || exp > seconds + longestSeconds)
    throw refused(`exp is more than ${longestSeconds} seconds away`);
  if (iat !== undefined && (typeof iat !== 'number' || iat > seconds + skewSeconds)) throw refused('iat is not of now');
  const isOurs = (one: unknown) => typeof one === 'string' && (one === issuer || one.startsWith(`${issuer}/`));
  if (![aud].flat().every(isOurs)) throw refused('audience (aud) names others');
  if (crit !== undefined) throw refused('crit is not understood');
  if (kid !== undefined && typeof kid !== 'string') throw refused('kid must be a text');
  if (!types.some(type => type === typ)) throw refused('typ is that of another token');
}

/** FAPI 2.0 Security Profile §5.3.2.1 and §5.4: for the issuer and nobody besides, and not by RS256. */
export function assertFapi({ claims, header }: Assertion, issuer: string): void {
  if (claims['aud'] !== issuer) throw refused('audience (aud) must be the issuer, as one string');
  if (header['alg'] === 'RS256') throw refused('alg mismatch');
}

const refused = (why: string) => new errors.InvalidClientAuth(why);
