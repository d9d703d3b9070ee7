// The public face of @reeve/relying-party.

export type { Brought, BroughtClaims } from './brought-token.ts';
export { type ClientKey, keyAlgorithmFor, takesSecrets } from './client-authentication.ts';
export { isOfManyDirectories } from './directories.ts';
export { discover, type Fetch, type ServerMetadata, serverMetadata } from './discover.ts';
export type { SignsBy } from './key-sets.ts';
export {
  type Client,
  createRelyingParty,
  type Granted,
  type Pending,
  type Registration,
  type Wanted,
} from './relying-party.ts';
export { claimsOf } from './signed-token.ts';
export { type Seen, StepError } from './step-error.ts';
