// Passkeys (WebAuthn level 3) by @simplewebauthn/server: what a browser is asked, and whether its answer holds. The
// relying party is the issuer's host, for all tenants; which credentials count is decided by whose they are.
import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server';
import { z } from 'zod';

/** `id` is a host, `origin` where its pages are. */
export type RelyingParty = { id: string; origin: string; name: string };

/** Null for an issuer that is an address and no name: it can have no passkeys. */
export function relyingPartyOf(issuer: string, product: string): RelyingParty | null {
  const { hostname, origin } = new URL(issuer);
  return /^[\d.]+$|^\[/.test(hostname) ? null : { id: hostname, origin, name: product || hostname };
}

export type Passkey = {
  id: string;
  name: string;
  credentialId: string;
  /** COSE, base64url. */
  publicKey: string;
  /** Of signatures, where its authenticator counts them: one that does not grow is a copy's. */
  counter: number;
  transports: string[];
  createdAt: string;
  lastUsedAt: string | null;
};

/** EdDSA, ES256, RS256. */
const algorithms = [-8, -7, -257];
export const challengeSeconds = 300;

const text = z.string().min(1).max(4_000);
const transports = z.array(z.string().max(40)).max(10).default([]);
const common = { id: text, rawId: text, type: z.literal('public-key') };
const registered = z.object({
  ...common,
  response: z.object({ clientDataJSON: text, attestationObject: z.string().min(1).max(12_000), transports }),
});
const asserted = z.object({
  ...common,
  response: z.object({
    clientDataJSON: text,
    authenticatorData: text,
    signature: text,
    userHandle: z.string().max(200).nullish(),
  }),
});

/** Null for what is no credential at all. */
function readAs<T>(schema: z.ZodType<T>, given: string): T | null {
  try {
    return schema.parse(JSON.parse(given));
  } catch {
    return null;
  }
}

type Owner = { userHandle: string; label: string; passkeys: readonly Passkey[] };

export const registrationOptions = (rp: RelyingParty, { userHandle, label, passkeys }: Owner) =>
  generateRegistrationOptions({
    rpName: rp.name,
    rpID: rp.id,
    userName: label,
    userDisplayName: label,
    userID: new Uint8Array(Buffer.from(userHandle, 'base64url')),
    attestationType: 'none',
    timeout: challengeSeconds * 1_000,
    excludeCredentials: passkeys.map(({ credentialId: id, transports: by }) => ({ id, transports: by })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
    supportedAlgorithmIDs: algorithms,
  });

export const assertionOptions = (rp: RelyingParty, passkeys: readonly Passkey[]) =>
  generateAuthenticationOptions({
    rpID: rp.id,
    timeout: challengeSeconds * 1_000,
    userVerification: 'required',
    allowCredentials: passkeys.map(({ credentialId: id, transports: by }) => ({ id, transports: by })),
  });

type NewCredential = Pick<Passkey, 'credentialId' | 'publicKey' | 'counter' | 'transports'>;

/** Null for what does not hold. */
export async function credentialIn(
  rp: RelyingParty,
  given: string,
  expectedChallenge: string,
): Promise<NewCredential | null> {
  const response = readAs(registered, given);
  if (!response) return null;
  try {
    const { registrationInfo } = await verifyRegistrationResponse({
      response: { ...response, clientExtensionResults: {} } as RegistrationResponseJSON,
      expectedChallenge,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    });
    if (!registrationInfo) return null;
    const { id: credentialId, publicKey, counter } = registrationInfo.credential;
    const key = Buffer.from(publicKey).toString('base64url');
    return { credentialId, publicKey: key, counter, transports: response.response.transports };
  } catch {
    return null;
  }
}

export type Asserted = { passkey: Passkey; counter: number } | { refused: 'unknown' | 'invalid' | 'copied' };

/** By which of these passkeys it is said. */
export async function passkeyIn(
  rp: RelyingParty,
  given: string,
  { expectedChallenge, passkeys, userHandle }: Omit<Owner, 'label'> & { expectedChallenge: string },
): Promise<Asserted> {
  const response = readAs(asserted, given);
  if (!response) return { refused: 'invalid' };
  const passkey = passkeys.find(one => one.credentialId === response.id);
  const handle = response.response.userHandle ?? null;
  if (!passkey || (handle !== null && handle !== '' && handle !== userHandle)) return { refused: 'unknown' };
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: { ...response, clientExtensionResults: {} } as AuthenticationResponseJSON,
      expectedChallenge,
      expectedOrigin: rp.origin,
      expectedRPID: rp.id,
      requireUserVerification: true,
      credential: {
        id: passkey.credentialId,
        publicKey: new Uint8Array(Buffer.from(passkey.publicKey, 'base64url')),
        // The library would throw alike for a copy's and for a wrong signature: which it is, we say (isCopied).
        counter: 0,
      },
    });
    if (!verified) return { refused: 'invalid' };
    const { newCounter: counter } = authenticationInfo;
    return isCopied(passkey, counter) ? { refused: 'copied' } : { passkey, counter };
  } catch {
    return { refused: 'invalid' };
  }
}

/** WebAuthn §7.2, step 22. Some count nothing, and say 0 for ever. */
export const isCopied = ({ counter: before }: Pick<Passkey, 'counter'>, counter: number): boolean =>
  (before > 0 || counter > 0) && counter <= before;
