// The public face of @reeve/contracts: names and shapes that services, clients and readers of the topics share.
export {
  type AssertionRefusal,
  type BotSignInFailure,
  type DeliveryRejection,
  type EmbeddedFailure,
  type EventDetails,
  type EventType,
  type ExchangeRefusal,
  eventTypes,
  type ReasonOf,
  type SecretPurpose,
  type SignInFailure,
  type TargetOf,
  type VouchingRefusal,
} from './events/catalogue.ts';
export {
  type Cause,
  type CloudEvent,
  type EventDraft,
  event,
  eventDataSchema,
  type IdentityEvent,
  identityHeadSchema,
  type Message,
  serviceCause,
  topicOf,
} from './events/event.ts';
export {
  type Actor,
  type Context,
  emptyContext,
  headSchema,
  type Outcome,
  type Reason,
  type Target,
} from './events/head.ts';
export {
  longestAccessTokenMs,
  mattersAlways,
  mattersUntil,
  type Revocation,
  revocationDraft,
  revocationSchema,
} from './events/revocation.ts';
export { createRevocationTable } from './events/revocation-table.ts';
export type { TargetId, TargetKind, TypedTarget } from './events/targets.ts';
export {
  type Id,
  type IdKind,
  idFrom,
  idPrefixes,
  idSchema,
  isId,
  newEventId,
  newId,
  platformTenantId,
  type TenantId,
} from './ids.ts';
export { JsonError, parseJson } from './json.ts';
export { isCanonicalJws } from './jws.ts';
export {
  type AuthenticationNeeded,
  type FieldError,
  invalidField,
  type ProblemCode,
  ProblemError,
  problemSchema,
  problems,
} from './problems.ts';
export {
  type FindIdentityRequest,
  type ForeseenIdentity,
  findIdentityRequest,
  findIdentityResponse,
  foreseenIdentity,
  type LinkIdentityRequest,
  linkIdentityRequest,
  type PersonIdentifier,
  personIdentifiers,
  type ResolveIdentityRequest,
  type ResolveIdentityResponse,
  resolveIdentityRequest,
  resolveIdentityResponse,
} from './resolve-identity.ts';
export { type SignInCause, signInCauses } from './sign-in-causes.ts';
export { isText, textSchema } from './text.ts';
export { auditedTopics, deadLetterTopic, maxMessageBytes, type Topic, type TopicName, topics } from './topics.ts';
