// The public face of @reeve/sdk: who calls, verified here. Each other capability has a door of its own.
export { ReeveError, type ReeveErrorCode } from './errors.ts';
export type { Identity } from './identity.ts';
export { type ProtectedResource, type ProtectedResourceOptions, protectedResource } from './protected-resource.ts';
export type { Requirement } from './requirement.ts';
export { type FeedOptions, revocationFeed } from './revocations/feed.ts';
export type { RevocationSource } from './revocations/source.ts';
export { type Algorithm, createVerifier, type Presented, type Verifier, type VerifierOptions } from './verifier.ts';
