// The public face of @reeve/webhook-signatures.
export { keyOf, newSecret, newStandardKeyPair, SecretFormError, type SigningKey } from './keys.ts';
export {
  defaultSettings,
  digests,
  encodings,
  type HeaderOnce,
  type SchemeName,
  type SignatureSettings,
  type Source,
  schemeNames,
} from './scheme.ts';
export { schemeOf, setsIdApart } from './schemes.ts';
export { type Refusal, sign, type Verdict, type Verification, verify } from './verify.ts';
