// A JWT of a server's that a program brings us, which it got there for an audience that we have agreed on: an access
// token or an ID token. Nothing of a request of ours binds it, so all that it says of itself is compared: who made it,
// for whom, by whom it was asked for, when, and for which directory. Its signature is by the keys that the server has
// now.
import { isCanonicalJws } from '@reeve/contracts';
import { compactVerify, decodeJwt, errors, type JWTPayload } from 'jose';
import { isOfManyDirectories, issuerOfDirectory } from './directories.ts';
import type { ServerMetadata } from './discover.ts';
import type { createKeySets } from './key-sets.ts';
import { claimsOf } from './signed-token.ts';
import { StepError } from './step-error.ts';

export type BroughtFrom = { metadata: ServerMetadata; directories?: readonly string[] };

export type Brought = {
  token: string;
  audience: string;
  /** Applications of the server by whom it may have been asked for, where it says by whom. */
  parties: readonly string[];
};

const longest = 16_000;
const skewSeconds = 30;
/** Servers let an access token count for some hours at most. */
const oldestSeconds = 86_400;
/** RFC 9068, or what servers write that do not know it. What was made for another purpose has another type. */
const types = ['jwt', 'at+jwt'];
/** Of Microsoft Entra: tokens of its second version, which name their directory. */
const isEntra = (issuer: string): boolean => isOfManyDirectories(issuer) || /\/[^/]+\/v2\.0$/.test(issuer);

export type BroughtClaims = JWTPayload & { iss: string; sub: string };

const refused = (claim: string) => new StepError('id_token_claims', { seen: { problem: claim } });

export const createReadBrought =
  (keySets: ReturnType<typeof createKeySets>) =>
  /** Throws StepError; `seen.problem` says what of it was refused. */
  async ({ metadata, directories = [] }: BroughtFrom, brought: Brought): Promise<BroughtClaims> => {
    const { token } = brought;
    if (token.length > longest || !isCanonicalJws(token))
      throw new StepError('id_token_signature', { seen: { problem: 'form' } });
    const issuer = issuerFor(metadata.issuer, token, directories);
    if (issuer === null) throw refused('tid');
    const template = isOfManyDirectories(metadata.issuer) ? { template: metadata.issuer } : {};
    const from = { metadata: { ...metadata, issuer }, ...template };
    const algorithms = metadata.id_token_signing_alg_values_supported;
    const claims = await keySets
      .by(from, async keys => typed(await compactVerify(token, keys, { algorithms })))
      .catch((error: unknown) => {
        if (error instanceof StepError) throw error;
        const seen = error instanceof errors.JOSEError ? { problem: error.message } : {};
        throw new StepError('id_token_signature', { cause: error, seen });
      });
    assertClaims(claims, { ...brought, issuer, ofEntra: isEntra(metadata.issuer) });
    assertTimes(claims, Date.now() / 1_000);
    return claims as BroughtClaims;
  };

/** The one that it has to be by: of many directories, that of the directory which it says, if that is one of ours. */
function issuerFor(known: string, token: string, directories: readonly string[]): string | null {
  if (!isOfManyDirectories(known)) return known;
  try {
    return issuerOfDirectory(known, decodeJwt(token)['tid'], directories);
  } catch {
    return null;
  }
}

function typed(verified: Awaited<ReturnType<typeof compactVerify>>): JWTPayload {
  const { typ = 'JWT' } = verified.protectedHeader;
  const type = types.find(one => typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === one);
  if (type === undefined) throw new StepError('id_token_type', { seen: { problem: 'typ' } });
  return claimsOf({ ...verified, protectedHeader: { typ: type } }, type);
}

type Expected = Brought & { issuer: string; ofEntra: boolean };

function assertClaims(claims: JWTPayload, { issuer, audience, parties, ofEntra }: Expected): void {
  const { iss, aud, sub, azp, client_id: clientId, appid, cid, tid, ver, idtyp, cnf, events } = claims;
  if (iss !== issuer) throw refused('iss');
  // With others beside it, others could bring it.
  const [only, another] = Array.isArray(aud) ? aud : [aud];
  if (only !== audience || another !== undefined) throw refused('aud');
  if (typeof sub !== 'string' || sub === '') throw new StepError('subject_missing', { seen: { problem: 'sub' } });
  for (const [name, party] of Object.entries({ azp, client_id: clientId, appid, cid }))
    if (party !== undefined && !(typeof party === 'string' && parties.includes(party))) throw refused(name);
  // Of an application that acts for nobody; and one that is worth nothing without a proof, which nobody brings.
  if (idtyp !== undefined && idtyp !== 'user') throw refused('idtyp');
  if (cnf !== undefined) throw refused('cnf');
  // A security event, as a logout token: it is for our ears, and says that somebody is to be signed out.
  if (events !== undefined) throw refused('events');
  if (!ofEntra) return;
  if (ver !== '2.0') throw refused('ver');
  if (typeof tid !== 'string' || !issuer.split('/').includes(tid)) throw refused('tid');
}

function assertTimes({ iat, nbf = iat, exp }: JWTPayload, now: number): void {
  const late = (problem: string) => new StepError('id_token_time', { seen: { problem, now: Math.floor(now) } });
  const isTime = (at: unknown): at is number => typeof at === 'number' && Number.isFinite(at) && at >= 0;
  if (!isTime(exp) || exp <= now - skewSeconds) throw late('exp');
  if (!isTime(iat) || iat > now + skewSeconds || iat < now - oldestSeconds) throw late('iat');
  if (!isTime(nbf) || nbf > now + skewSeconds) throw late('nbf');
}
