// Every event type: its topic, what it is about, why it can happen, how it turned out, and the details that follow the
// common head. Types are added here and nowhere else; the JSON Schemas and the AsyncAPI document follow. A type with
// empty details is reserved by the contract and gets its details (an additive change) with the capability that first
// produces it.
import { z } from 'zod';
import { idSchema } from '../ids.ts';
import type { TopicName } from '../topics.ts';
import type { Outcome } from './head.ts';
import type { TargetKind } from './targets.ts';

type Definition<K extends TargetKind, R extends string, D extends z.ZodRawShape> = {
  target: K;
  reasons: readonly R[];
  outcomes: readonly [Outcome, ...Outcome[]];
  details: D;
};

/** With no details given, none are known yet. */
const withOutcome =
  (...outcomes: [Outcome, ...Outcome[]]) =>
  <K extends TargetKind, const R extends string, D extends z.ZodRawShape = Record<never, never>>(
    target: K,
    reasons: readonly R[],
    details: D = {} as D,
  ): Definition<K, R, D> => ({ target, reasons, outcomes, details });

const done = withOutcome('success');
const failed = withOutcome('failure');
const denied = withOutcome('denied');
const tried = withOutcome('success', 'failure');
const settled = withOutcome('success', 'denied');

// oxlint-disable-next-line typescript/no-explicit-any -- each definition is of a target, reasons and details of its own
function on<T extends TopicName, D extends Record<string, Definition<any, any, any>>>(topic: T, types: D) {
  return Object.fromEntries(
    Object.entries(types).map(([type, definition]) => [
      type,
      { ...definition, topic, details: z.object(definition.details as z.ZodRawShape) },
    ]),
  ) as { [K in keyof D]: Omit<D[K], 'details'> & { topic: T; details: z.ZodObject<D[K]['details']> } };
}

const text = z.string();
const list = z.array(z.string());
const user = idSchema('user');
const requested = ['requested'] as const;

const userEnds = ['user_deactivated', 'user_deleted'] as const;

const session = { userId: user, surface: text, provider: text.nullable() };
const installation = { connectorId: text, connectorName: text, scopes: list };
const consent = { installationId: idSchema('installation'), userId: user, scopes: list };
const delegatedToken = { installationId: idSchema('installation'), requestedScopes: list, grantedScopes: list };
/**
 * One delivery, or in a storm what a minute brought beyond the first few: then `count` says how many and `webhookId` is
 * null.
 */
const aggregate = { count: z.number().optional(), from: text.optional(), to: text.optional() };
const delivery = { endpointId: idSchema('endpoint'), webhookId: text.nullable(), bytes: z.number() };
const sink = { kind: text };
/** `evidence` are ids of events; `subject` is an address or the id of what the alert is about. */
const alert = {
  rule: text,
  title: text,
  severity: text,
  subject: text,
  summary: text,
  firstAt: text,
  lastAt: text,
  evidence: list,
  note: text.nullable(),
};
const evidencePackage = { from: text, to: text, sha256: text.nullable() };
const hold = { scope: text, statedReason: text };
const deletion = { ...hold, removesAt: text.nullable() };
const person = { email: text.nullable(), source: text };
/** Always there: the release before had these types without details. */
const ofDomain = { domain: text.optional() };
const ofMembership = { userId: user.optional() };
const ofLink = {
  connectionId: text.nullable().optional(),
  changesInUse: z.boolean().optional(),
  expiresAt: text.optional(),
};
const factor = { userId: user.optional(), kind: text.optional() };
const ofBot = { clientId: idSchema('client').optional(), connections: list.optional() };
/** `channelUserId` is how the channel names the person. */
const botSignIn = {
  userId: user.nullable().optional(),
  clientId: idSchema('client').optional(),
  botConnection: text.optional(),
  provider: text.nullable().optional(),
  channelId: text.optional(),
  channelUserId: text.optional(),
};
const ofResourceServer = { identifier: text, scopes: list };
const ofStream = { clientId: idSchema('client'), delivery: text, endpointUrl: text.nullable(), eventTypes: list };
const grants = { scopes: list, grantTypes: list };
/** `clientId` is the address of the document by which the application is known. */
const applicationGrant = { userId: user, clientId: text, resource: text.nullable(), scopes: list };

/** Where a sign-in can fail: at the identity provider's answer, at who the person is, or at what the tenant allows. */
const signInFailures = [
  'refused_by_provider',
  'provider_unreachable',
  'provider_timeout',
  'provider_url_refused',
  'provider_response',
  'response_mismatch',
  'code_exchange',
  'id_token_missing',
  'id_token_type',
  'id_token_claims',
  'id_token_time',
  'id_token_signature',
  'access_token_hash',
  'subject_missing',
  'attribute_missing',
  'user_info',
  'saml_malformed',
  'saml_algorithm',
  'saml_signature',
  'saml_encryption',
  'saml_issuer',
  'saml_destination',
  'saml_audience',
  'saml_response_to',
  'saml_subject',
  'saml_conditions',
  'saml_time',
  'saml_authentication',
  'saml_replayed',
  'unsolicited',
  'authentication_too_old',
  'connection_not_active',
  'domain_enforced',
  'identity_conflict',
  'identity_unknown',
  'identity_taken',
  'link_needs_sign_in',
  'link_declined',
  'user_deactivated',
  'tenant_suspended',
  'sign_in_expired',
  'dependency_unavailable',
  'internal',
] as const;
/** Codes of problems, as a caller who asks for the refresh gets them. */
const metadataRefusals = ['connection_unreachable', 'url_refused', 'metadata_invalid', 'metadata_moved'] as const;
const sessionEnds = [
  'terminated',
  'ended_by_owner',
  'signed_out',
  'another_person',
  'provider_logout',
  'device_changed',
  'global_token_revocation',
  'provider_signal',
  'identity_unlinked',
  'user_transferred',
] as const;

/** Of a token that could be exchanged by whoever asked, and not for that. */
const exchangeRefusals = ['actor_refused', 'scope_refused', 'chain_too_long', 'proof_missing'] as const;

export type ExchangeRefusal = (typeof exchangeRefusals)[number];

/** Of a sign-in at a bot: at the token that it was given, or on the way by the page. */
const botSignInFailures = [
  ...signInFailures,
  'exchange_not_offered',
  'consent_required',
  'other_person',
  'resource_refused',
  'signed_out',
  'refused_by_person',
  'wrong_code',
  'expired',
  'reported_by_client',
] as const;

export type BotSignInFailure = (typeof botSignInFailures)[number];

/** Where an identity provider's word for its user towards an assistant was not taken (ID-JAG). */
const assertionRefusals = [
  'malformed',
  'type',
  'signature',
  'keys_unavailable',
  'issuer',
  'tenant',
  'audience',
  'client',
  'time',
  'replayed',
  'authentication',
  'subject',
  'identity_unknown',
  'user_inactive',
  'domain',
  'actor',
  'resource',
  'scope',
  'authorization_details',
  'proof',
  'not_allowed',
  'ambiguous',
] as const;
export type AssertionRefusal = (typeof assertionRefusals)[number];

/** Where Reeve did not vouch for a person towards the authorization server of somebody else (ID-JAG). */
const vouchingRefusals = [
  'subject_token',
  'proof',
  'session',
  'delegated',
  'audience',
  'group',
  'authentication',
  'resource',
  'scope',
] as const;
export type VouchingRefusal = (typeof vouchingRefusals)[number];

/**
 * What a page that embeds the assistant, or its person's window, met with where no connection is known: at us, and as
 * the script of the page tells of it.
 */
const embeddedFailures = [
  'missing_auth_key',
  'unknown_auth_key',
  'origin_not_allowed',
  'redirect_uri_mismatch',
  'redirect_loop',
  'cookies_blocked',
  'no_access',
  'sign_in_failed',
  'blocked_by_csp',
  'blocked_by_cors',
  'popup_blocked',
  'opener_isolated',
  'frame_blocked',
  'timed_out',
] as const;
export type EmbeddedFailure = (typeof embeddedFailures)[number];

const factorEnds = ['removed_by_owner', 'removed_by_administrator', 'replaced', 'user_deleted'] as const;

export type SignInFailure = (typeof signInFailures)[number];

const auth = on('reeve.auth.v1', {
  'sign_in.succeeded': done('user', ['identity_provider'], {
    userId: user,
    method: text,
    amr: list,
    acr: text.nullable(),
  }),
  /**
   * `identityId` names who it was at the identity provider, where that had vouched for somebody:
   * `<connection>/<subject>`.
   */
  'sign_in.failed': failed('connection', signInFailures, {
    method: text,
    step: text,
    identityId: text.nullable().optional(),
    /** One of docs/sign-in-causes.md. */
    cause: text.optional(),
  }),
  /** Somebody came in another way than their domain demands, as they may by exception. */
  'sign_in.break_glass_used': done('user', ['enforced_elsewhere'], { userId: user }),
  /** `identity_provider`: its word counts, by the tenant's rule. */
  'step_up.succeeded': done('session', ['factor', 'identity_provider'], {
    userId: user.optional(),
    acr: text.optional(),
    kind: text.optional(),
    factorId: text.nullable().optional(),
  }),
  /** During a sign-in it is about the session that would have begun. */
  'step_up.failed': failed('session', ['wrong', 'used', 'unknown', 'invalid', 'copied', 'expired'], {
    userId: user.optional(),
    kind: text.optional(),
  }),
  /** `clientId` is the assistant or bot that acts for the person in it, which `by` vouched for them to. */
  'session.created': done('session', ['signed_in', 'delegated'], {
    ...session,
    riskSigns: list.optional(),
    clientId: text.optional(),
    by: text.optional(),
  }),
  'session.revoked': done('session', [...sessionEnds, ...userEnds], {
    ...session,
    cause: text,
  }),
  'session.expired': done('session', ['expired', 'idle'], session),
  /** The server of an application was not told of a session's end, for a day (OpenID Connect Back-Channel Logout). */
  'session.logout_undelivered': failed('session', ['gave_up'], {
    userId: user,
    clientId: text,
    attempts: z.number(),
    failure: text,
  }),
  'token.refreshed': done('session', requested, { userId: user, scope: text }),
  'token.reuse_detected': denied('session', ['refresh_token_reused'], { userId: user }),
  'token.revoked': done('session', requested, { userId: user }),
  /**
   * `from` and `to` are the APIs that the tokens are for, `clientId` the application whose token was exchanged.
   * `actors` says who acts, and for whom, the last one first. `tokenId` is the `jti` of a JWT; null for an opaque
   * token, of which it would be all, and where there is none.
   */
  'token.exchanged': settled('session', [...requested, ...exchangeRefusals], {
    userId: user.optional(),
    clientId: text.optional(),
    from: text.optional(),
    to: text.optional(),
    scopes: list.optional(),
    actors: list.optional(),
    tokenId: text.nullable().optional(),
    expiresAt: text.nullable().optional(),
  }),
  /** As `token.exchanged`. `assertionId` is the `jti` of what the identity provider has signed. */
  'identity_assertion.redeemed': done('session', requested, {
    userId: user,
    clientId: text,
    policyId: idSchema('assistantPolicy'),
    resource: text,
    scopes: list,
    actors: list,
    assertionId: text,
    tokenId: text.nullable(),
    expiresAt: text,
  }),
  /** `detail` says for people what was wrong; nothing that was sent stands in it. */
  'identity_assertion.refused': denied('connection', assertionRefusals, { clientId: text, detail: text }),
  /**
   * Reeve has vouched for the person towards the authorization server `audience`, which knows the application as
   * `audienceClientId`. `assertionId` is the `jti` of what was signed.
   */
  'identity_assertion.issued': done('session', requested, {
    userId: user,
    clientId: text,
    policyId: idSchema('vouchingPolicy'),
    audience: text,
    audienceClientId: text,
    resources: list,
    scopes: list,
    assertionId: text,
    expiresAt: text,
  }),
  /**
   * The other way round from `refused`: Reeve did not vouch. `audience` is null unless a policy names it; `detail` says
   * for people what was wrong, and nothing that was sent stands in it.
   */
  'identity_assertion.not_issued': denied('client', vouchingRefusals, {
    userId: user.nullable(),
    audience: text.nullable(),
    detail: text,
  }),
  'connection.created': done('connection', requested, { kind: text, issuer: text }),
  'connection.updated': done('connection', ['requested', 'domain_released'], {
    kind: text,
    issuer: text,
    changed: list,
  }),
  'connection.activated': done('connection', requested, { kind: text, issuer: text }),
  'connection.rolled_back': done('connection', requested, {
    kind: text.optional(),
    issuer: text.optional(),
    revision: z.number().optional(),
  }),
  'connection.deleted': done('connection', requested),
  'connection.tested': tried('connection', requested),
  'connection.key_rotated': done('connection', requested, { step: text }),
  /** `what` ends at `expiresAt`; `name` says which, where there may be several: a certificate by its fingerprint. */
  'connection.certificate_expiring': done('connection', ['expires_soon', 'expired'], {
    what: text.optional(),
    name: text.optional(),
    expiresAt: text.optional(),
    daysLeft: z.number().optional(),
  }),
  /** Certificates by `sha256:` and their fingerprint in hexadecimal digits. */
  'connection.metadata_refreshed': done('connection', ['scheduled', 'requested'], {
    changed: list.optional(),
    certificatesAdded: list.optional(),
    certificatesRemoved: list.optional(),
  }),
  /** Nothing of what was read was taken, or nothing could be read. Told when it begins, and when the reason changes. */
  'connection.metadata_refused': failed('connection', metadataRefusals, { problem: text }),
  'domain.claimed': done('domain', requested, ofDomain),
  'domain.updated': done('domain', ['requested', 'connection_deleted'], {
    domain: text,
    policy: text,
    connectionId: text.nullable(),
    changed: list,
  }),
  'domain.verified': done('domain', ['requested', 'rechecked'], ofDomain),
  /** `contested`: another tenant has proven it, and this one's record is gone. */
  'domain.verification_failed': failed('domain', ['requested', 'rechecked', 'contested'], {
    ...ofDomain,
    problem: text.nullable().optional(),
  }),
  /** Of who has it: another tenant has proven it as well, and did not get it. */
  'domain.contested': denied('domain', ['proven_by_another'], { domain: text }),
  /** `status` is what it was before: `pending` where nobody had proven it. */
  'domain.released': done('domain', ['requested', 'proof_gone'], { ...ofDomain, status: text.optional() }),
  'auth_key.created': done('auth_key', requested, { connectionId: text.optional() }),
  'auth_key.updated': done('auth_key', requested, { connectionId: text.optional() }),
  'auth_key.deleted': done('auth_key', requested, { connectionId: text.optional() }),
  'branding.updated': done('branding', requested, {
    displayName: text.nullable().optional(),
    logoUrl: text.nullable().optional(),
  }),
  /** `kind` and `name` say which policy; `changed` which of its settings. */
  'policy.updated': done('policy', ['requested', 'reset'], {
    kind: text.optional(),
    name: text.optional(),
    changed: list.optional(),
  }),
  'client.created': done('client', requested, grants),
  'client.updated': done('client', ['requested', 'secret_rotated'], { ...grants, changed: list }),
  'client.deleted': done('client', requested),
  /** What a person allows an application that nobody registered. */
  'grant.consented': done('grant', ['person_agreed'], { ...applicationGrant, documentSha256: text, redirectUri: text }),
  'grant.refused': denied('grant', ['person_refused'], { ...applicationGrant, redirectUri: text }),
  'grant.withdrawn': done('grant', ['requested', 'ended_by_owner', 'user_deleted'], applicationGrant),
  'resource_server.created': done('resource_server', requested, ofResourceServer),
  'resource_server.updated': done('resource_server', requested, { ...ofResourceServer, changed: list }),
  'resource_server.deleted': done('resource_server', requested, ofResourceServer),
  'signal_stream.created': done('signal_stream', requested, ofStream),
  'signal_stream.updated': done('signal_stream', requested, { ...ofStream, changed: list }),
  'signal_stream.deleted': done('signal_stream', ['requested', 'client_deleted'], ofStream),
  'mfa_factor.enrolled': done('mfa_factor', requested, factor),
  'mfa_factor.removed': done('mfa_factor', [...requested, ...factorEnds], factor),
  'mfa_factor.recovery_code_used': done('mfa_factor', ['used'], { userId: user, remaining: z.number() }),
  'signing_key.rotated': done('signing_key', ['first_start', 'requested', 'compromised'], {
    keyId: text,
    algorithm: text,
    activeFrom: text.optional(),
  }),
  'setup_link.created': done('setup_link', requested, ofLink),
  /** Once: the first time that its holder acts by it. What comes of it tells of itself, with the link as actor. */
  'setup_link.used': done('setup_link', ['first_act'], ofLink),
  /** `maker_ended`: whoever made it is no administrator any more. */
  'setup_link.revoked': done('setup_link', ['requested', 'maker_ended'], ofLink),
  /**
   * `origin` and `authKey` are what the page said: anybody could have, so the first few in ten minutes are an event
   * each, and what came beyond is one with `count`, and null for both.
   */
  'embedded_sign_in.failed': failed('policy', embeddedFailures, {
    origin: text.nullable(),
    authKey: text.nullable(),
    ...aggregate,
  }),
  'bot.created': done('bot', requested, ofBot),
  'bot.updated': done('bot', requested, { ...ofBot, changed: list }),
  'bot.deleted': done('bot', requested, ofBot),
  /** Somebody is signed in at a bot: by a token of their identity provider, or on a page. */
  'bot_sign_in.exchanged': done('bot', ['token_exchange', 'code', 'same_person'], {
    ...botSignIn,
    sessionId: idSchema('session').optional(),
  }),
  /** `problem` is what was wrong with a token, in a word. */
  'bot_sign_in.failed': failed('bot', botSignInFailures, { ...botSignIn, problem: text.nullable().optional() }),
});

const directory = on('reeve.directory.v1', {
  'tenant.created': done('tenant', requested, { slug: text, status: text }),
  'tenant.updated': done('tenant', ['requested', 'resumed'], { slug: text, status: text, changed: list }),
  'tenant.suspended': done('tenant', requested, { slug: text, status: text }),
  'tenant.deleted': done('tenant', requested, { slug: text }),
  'user.created': done('user', ['requested', 'just_in_time', 'pushed_by_directory'], person),
  'user.updated': done('user', ['requested', 'pushed_by_directory'], { ...person, changed: list }),
  'user.deactivated': done('user', ['requested', 'pushed_by_directory'], { ...person, cause: text }),
  'user.reactivated': done('user', ['requested', 'pushed_by_directory'], { ...person, cause: text }),
  'user.deleted': done('user', ['requested', 'pushed_by_directory'], person),
  /** Of the tenant that the person leaves. */
  'user.transferred': done('user', requested),
  'identity.linked': done('identity', ['jit', 'verified_email', 'identifier', 'by_person', 'by_administrator'], {
    userId: user,
    connectionId: text,
    issuer: text,
    how: text,
  }),
  'identity.unlinked': done('identity', requested, { userId: user, connectionId: text, issuer: text }),
  'identity.conflicted': denied(
    'identity',
    [
      'address_not_verified',
      'address_of_another',
      'address_taken',
      'domain_not_verified',
      'identifier_of_another',
      'identifier_of_administrator',
      'identifier_and_address_differ',
    ],
    { connectionId: text, issuer: text, conflict: text },
  ),
  'role.assigned': done('user', ['requested', 'just_in_time', 'pushed_by_directory'], { userId: user, role: text }),
  'role.unassigned': done('user', ['requested', 'pushed_by_directory'], { userId: user, role: text }),
  'directory.created': done('directory', requested, { kind: text }),
  'directory.updated': done('directory', requested, { changed: list }),
  'directory.token_rotated': done('directory', requested),
  'directory.deleted': done('directory', requested),
  'membership.added': done('membership', requested, ofMembership),
  'membership.removed': done('membership', ['requested', 'group_deleted'], ofMembership),
  'invitation.created': done('invitation', requested),
  'invitation.accepted': done('invitation', requested),
  'invitation.refused': denied('invitation', []),
  'invitation.revoked': done('invitation', requested),
  'organization.created': done('organization', requested),
  'organization.updated': done('organization', requested),
  'organization.deleted': done('organization', requested),
  'workspace.created': done('workspace', requested),
  'workspace.updated': done('workspace', requested),
  'workspace.deleted': done('workspace', requested),
  'group.created': done('group', requested),
  'group.updated': done('group', requested, { changed: list.optional() }),
  'group.deleted': done('group', requested),
});

const grantEnds = ['requested', 'ended_by_owner', 'uninstalled', 'consent_ended', ...userEnds] as const;

const connector = on('reeve.connector.v1', {
  'installation.requested': done('installation', requested, installation),
  'installation.approved': done('installation', requested, installation),
  'installation.refused': denied('installation', requested, installation),
  'installation.installed': done('installation', ['consented_and_connected'], installation),
  'installation.suspended': done('installation', requested, installation),
  'installation.resumed': done('installation', requested, installation),
  'installation.uninstalled': done('installation', requested, installation),
  'installation.verification_failed': failed('installation', [], installation),
  'consent.granted': done('consent', ['person_agreed'], { ...consent, expiresAt: text, textSha256: text }),
  'consent.denied': denied('consent', ['person_refused'], consent),
  'consent.reviewed': done('consent', requested, consent),
  'consent.reauthorized': done('consent', ['person_agreed'], consent),
  'consent.revoked': done('consent', grantEnds, { ...consent, cause: text }),
  'consent.expired': done('consent', ['expired'], consent),
  'delegated_token.stored': done('delegated_token', ['consented'], delegatedToken),
  'delegated_token.refreshed': done('delegated_token', [], delegatedToken),
  'delegated_token.refresh_failed': failed('delegated_token', [], delegatedToken),
  'delegated_token.exhausted': failed('delegated_token', [], delegatedToken),
  'delegated_token.recovered': done('delegated_token', [], delegatedToken),
  'delegated_token.leased': done('delegated_token', requested, delegatedToken),
  'delegated_token.revoked': done('delegated_token', grantEnds, { ...delegatedToken, cause: text }),
  'connector.ownership_transferred': done('connector', requested),
  'connector.orphaned': done('connector', []),
});

/**
 * What a delivery can be refused for. `signature`, `too_old` and `too_new` are those of a sender that cannot sign, or
 * repeats.
 */
const rejections = [
  'malformed',
  'signature',
  'too_old',
  'too_new',
  'address',
  'content_type',
  'same_id_other_body',
  'out_of_order',
] as const;
export type DeliveryRejection = (typeof rejections)[number];

const webhook = on('reeve.webhook.v1', {
  'endpoint.created': done('webhook_endpoint', ['requested', 'installed'], {
    connectorId: text,
    installationId: text.nullable(),
    scheme: text,
  }),
  'endpoint.updated': done('webhook_endpoint', requested, { changed: list }),
  'endpoint.disabled': done('webhook_endpoint', ['requested', 'uninstalled'], { cause: text }),
  'endpoint.enabled': done('webhook_endpoint', requested, { cause: text }),
  'endpoint.secret_rotated': done('webhook_endpoint', requested, {
    secretId: text,
    previousExpiresAt: text.nullable(),
  }),
  'delivery.accepted': done('webhook_delivery', ['signature_valid'], {
    ...delivery,
    contentType: text,
    bodySha256: text,
  }),
  'delivery.rejected': denied('webhook_endpoint', rejections, { ...delivery, ...aggregate }),
  'delivery.duplicated': done('webhook_endpoint', ['same_id'], { ...delivery, ...aggregate }),
  'delivery.gap_detected': failed('webhook_endpoint', ['sequence_missing'], {
    endpointId: idSchema('endpoint'),
    orderingKey: text,
    firstMissing: z.number(),
    lastMissing: z.number(),
  }),
  'delivery.replayed': done('webhook_delivery', requested, {
    endpointId: idSchema('endpoint'),
    webhookId: text,
    deadLetter: z.boolean(),
  }),
  'delivery.dead_lettered': failed('webhook_delivery', ['gap_not_filled'], {
    endpointId: idSchema('endpoint'),
    webhookId: text,
    orderingKey: text,
    sequence: z.number().nullable(),
  }),
});

/** What a secret is read for. */
const purposes = [
  'start',
  'sign_in',
  'second_factor',
  'lease',
  'verify_deliveries',
  'sign_test_event',
  'deliver_to_sink',
  'test_sink',
  'deliver_signals',
  'test',
  'rotate_key',
] as const;
export type SecretPurpose = (typeof purposes)[number];

const secret = on('reeve.secret.v1', {
  'secret.stored': done('secret', ['stored'], { secretClass: text, keyId: text }),
  'secret.accessed': done('secret', purposes, { secretClass: text, purpose: text }),
  /** Of a data key: that of all secrets of the tenant and class. Always there, as `ofDomain` says. */
  'secret.rewrapped': done('secret', requested, {
    secretClass: text.optional(),
    keyId: text.optional(),
    formerKeyId: text.optional(),
  }),
  /** `tenant_deleted`: the data key of all secrets of the tenant and class. */
  'secret.destroyed': done('secret', ['destroyed', 'tenant_deleted'], { secretClass: text }),
});

const activity = on('reeve.activity.v1', {
  'audit.read': done('audit_log', requested, { query: text }),
  'search.rebuilt': done('audit_log', requested, { looked: z.number(), rebuilt: z.number() }),
  'view.created': done('saved_view', requested),
  'view.updated': done('saved_view', requested),
  'view.deleted': done('saved_view', requested),
  'viewer_token.created': done('viewer_token', requested, { origins: list, expiresAt: text }),
  'viewer_token.revoked': done('viewer_token', requested, { origins: list, expiresAt: text }),
  'audit.exported': done('audit_log', requested, { format: text, from: text.nullable(), to: text.nullable() }),
  'sink.created': done('sink', requested, sink),
  'sink.updated': done('sink', requested, sink),
  'sink.paused': done('sink', requested, sink),
  'sink.resumed': done('sink', requested, sink),
  'sink.replayed': done('sink', requested, { ...sink, from: text }),
  /** The reasons are the codes of docs/sinks.md. */
  'sink.failed': failed(
    'sink',
    ['unreachable', 'unauthorized', 'refused', 'too_large', 'busy', 'protocol', 'records_refused', 'internal'],
    { ...sink, code: text, refused: list },
  ),
  'sink.deleted': done('sink', requested, sink),
  'evidence_package.requested': done('evidence_package', requested, evidencePackage),
  'evidence_package.downloaded': done('evidence_package', requested, evidencePackage),
  'evidence_package.deleted': done('evidence_package', requested, evidencePackage),
  'retention.updated': done('retention', requested, { classes: list }),
  'hold.placed': done('legal_hold', requested, hold),
  'hold.released': done('legal_hold', requested, hold),
  'deletion.requested': done('deletion_request', requested, deletion),
  'deletion.confirmed': done('deletion_request', requested, deletion),
  'deletion.cancelled': done('deletion_request', requested, deletion),
  'deletion.completed': done('deletion_request', ['confirmed'], {
    scope: text,
    removed: z.number(),
    held: z.number(),
  }),
  'records.removed': done('audit_log', ['retention', 'deletion_request'], {
    chain: text,
    first: z.number(),
    last: z.number(),
    count: z.number(),
    reference: text,
    /** SHA-256 of the JWS of the tombstone. */
    tombstone: text,
  }),
  // Published on reeve.audit.v1 beside the records: on a topic that is audited, each checkpoint would make the next one
  // necessary.
  'checkpoint.signed': done('checkpoint', []),
  /** The reasons are the names of rules: docs/alerts.md. */
  'alert.raised': done('alert', [] as readonly string[], alert),
  'alert.acknowledged': done('alert', [] as readonly string[], alert),
  'alert_rule.updated': done('alert_rule', requested, { enabled: z.boolean(), thresholds: list }),
  'access.denied': denied('operation', ['no_rule_permits'], { action: text }),
  'access.platform_used': done('operation', ['platform_client'], { action: text, statedReason: text }),
});

export const eventTypes = { ...auth, ...directory, ...connector, ...webhook, ...secret, ...activity };

export type EventType = keyof typeof eventTypes & string;
export type EventDetails<T extends EventType> = z.infer<(typeof eventTypes)[T]['details']>;
export type TargetOf<T extends EventType> = (typeof eventTypes)[T]['target'];
export type ReasonOf<T extends EventType> = (typeof eventTypes)[T]['reasons'][number];
