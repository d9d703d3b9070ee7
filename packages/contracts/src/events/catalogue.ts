// Every event type: the topic it goes to and the details that follow the common head. Types are added here and nowhere
// else; the JSON Schemas and the AsyncAPI document follow. A type with empty details is reserved by the contract and gets
// its details (an additive change) with the capability that first produces it.
import { z } from 'zod';
import type { TopicName } from '../topics.ts';

const text = z.string();
const list = z.array(z.string());

function on<T extends TopicName, D extends Record<string, z.ZodRawShape>>(topic: T, types: D) {
  return Object.fromEntries(
    Object.entries(types).map(([type, shape]) => [type, { topic, details: z.object(shape) }]),
  ) as { [K in keyof D]: { topic: T; details: z.ZodObject<D[K]> } };
}

const session = { userId: text, surface: text, provider: text.nullable() };
const installation = { connectorId: text, connectorName: text, scopes: list };
const consent = { installationId: text, userId: text, scopes: list };
const delegatedToken = { installationId: text, requestedScopes: list, grantedScopes: list };
/** One delivery, or in a storm what a minute brought beyond the first few: then `count` says how many and `webhookId` is null. */
const aggregate = { count: z.number().optional(), from: text.optional(), to: text.optional() };
const delivery = { endpointId: text, webhookId: text.nullable(), bytes: z.number() };
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
const user = { email: text.nullable(), source: text };

const auth = on('reeve.auth.v1', {
  'sign_in.succeeded': { userId: text, method: text, amr: list, acr: text.nullable() },
  /** `identityId` names who it was at the identity provider, where that had vouched for somebody: `<connection>/<subject>`. */
  'sign_in.failed': { method: text, step: text, identityId: text.nullable().optional() },
  'step_up.succeeded': {},
  'step_up.failed': {},
  'session.created': session,
  'session.revoked': { ...session, cause: text },
  'session.expired': session,
  'token.refreshed': { userId: text, scope: text },
  'token.reuse_detected': { userId: text },
  'token.revoked': { userId: text },
  'token.exchanged': {},
  'connection.created': { kind: text, issuer: text },
  'connection.updated': { kind: text, issuer: text, changed: list },
  'connection.activated': { kind: text, issuer: text },
  'connection.rolled_back': {},
  'connection.deleted': {},
  'connection.tested': {},
  'connection.certificate_expiring': {},
  'connection.metadata_refreshed': {},
  'domain.claimed': {},
  'domain.verified': {},
  'domain.verification_failed': {},
  'domain.released': {},
  'auth_key.created': {},
  'auth_key.updated': {},
  'auth_key.deleted': {},
  'policy.updated': {},
  'client.created': { scopes: list, grantTypes: list },
  'client.updated': { scopes: list, grantTypes: list },
  'client.deleted': {},
  'mfa_factor.enrolled': {},
  'mfa_factor.removed': {},
  'signing_key.rotated': { keyId: text, algorithm: text },
  'setup_link.created': {},
  'setup_link.used': {},
  'bot_sign_in.exchanged': {},
  'bot_sign_in.failed': {},
});

const directory = on('reeve.directory.v1', {
  'tenant.created': { slug: text, status: text },
  'tenant.updated': { slug: text, status: text, changed: list },
  'tenant.suspended': { slug: text, status: text },
  'tenant.deleted': { slug: text },
  'user.created': user,
  'user.updated': { ...user, changed: list },
  'user.deactivated': { ...user, cause: text },
  'user.reactivated': { ...user, cause: text },
  'user.deleted': user,
  'user.transferred': {},
  'identity.linked': { userId: text, connectionId: text, issuer: text, how: text },
  'identity.unlinked': { userId: text, connectionId: text, issuer: text },
  'identity.conflicted': { connectionId: text, issuer: text, conflict: text },
  'role.assigned': { userId: text, role: text },
  'role.unassigned': { userId: text, role: text },
  'directory.created': { kind: text },
  'directory.token_rotated': {},
  'directory.deleted': {},
  'membership.added': {},
  'membership.removed': {},
  'invitation.created': {},
  'invitation.accepted': {},
  'invitation.refused': {},
  'invitation.revoked': {},
  'organization.created': {},
  'organization.updated': {},
  'organization.deleted': {},
  'workspace.created': {},
  'workspace.updated': {},
  'workspace.deleted': {},
  'group.created': {},
  'group.updated': {},
  'group.deleted': {},
});

const connector = on('reeve.connector.v1', {
  'installation.requested': installation,
  'installation.approved': installation,
  'installation.refused': installation,
  'installation.installed': installation,
  'installation.suspended': installation,
  'installation.resumed': installation,
  'installation.uninstalled': installation,
  'installation.verification_failed': installation,
  'consent.granted': { ...consent, expiresAt: text, textSha256: text },
  'consent.denied': consent,
  'consent.reviewed': consent,
  'consent.reauthorized': consent,
  'consent.revoked': { ...consent, cause: text },
  'consent.expired': consent,
  'delegated_token.stored': delegatedToken,
  'delegated_token.refreshed': delegatedToken,
  'delegated_token.refresh_failed': delegatedToken,
  'delegated_token.exhausted': delegatedToken,
  'delegated_token.recovered': delegatedToken,
  'delegated_token.leased': delegatedToken,
  'delegated_token.revoked': { ...delegatedToken, cause: text },
  'connector.ownership_transferred': {},
  'connector.orphaned': {},
});

const webhook = on('reeve.webhook.v1', {
  'endpoint.created': { connectorId: text, installationId: text.nullable(), scheme: text },
  'endpoint.updated': { changed: list },
  'endpoint.disabled': { cause: text },
  'endpoint.enabled': { cause: text },
  'endpoint.secret_rotated': { secretId: text, previousExpiresAt: text.nullable() },
  'delivery.accepted': { ...delivery, contentType: text, bodySha256: text },
  'delivery.rejected': { ...delivery, ...aggregate },
  'delivery.duplicated': { ...delivery, ...aggregate },
  'delivery.gap_detected': { endpointId: text, orderingKey: text, firstMissing: z.number(), lastMissing: z.number() },
  'delivery.replayed': { endpointId: text, webhookId: text, deadLetter: z.boolean() },
  'delivery.dead_lettered': { endpointId: text, webhookId: text, orderingKey: text, sequence: z.number().nullable() },
});

const secret = on('reeve.secret.v1', {
  'secret.stored': { secretClass: text, keyId: text },
  'secret.accessed': { secretClass: text, purpose: text },
  'secret.rewrapped': {},
  'secret.destroyed': { secretClass: text },
});

const activity = on('reeve.activity.v1', {
  'audit.read': { query: text },
  'search.rebuilt': { looked: z.number(), rebuilt: z.number() },
  'view.created': {},
  'view.updated': {},
  'view.deleted': {},
  'viewer_token.created': { origins: list, expiresAt: text },
  'viewer_token.revoked': { origins: list, expiresAt: text },
  'audit.exported': { format: text, from: text.nullable(), to: text.nullable() },
  'sink.created': sink,
  'sink.updated': sink,
  'sink.paused': sink,
  'sink.resumed': sink,
  'sink.replayed': { ...sink, from: text },
  'sink.failed': { ...sink, code: text, refused: list },
  'sink.deleted': sink,
  'evidence_package.requested': evidencePackage,
  'evidence_package.downloaded': evidencePackage,
  'evidence_package.deleted': evidencePackage,
  'retention.updated': { classes: list },
  'hold.placed': hold,
  'hold.released': hold,
  'deletion.requested': deletion,
  'deletion.confirmed': deletion,
  'deletion.cancelled': deletion,
  'deletion.completed': { scope: text, removed: z.number(), held: z.number() },
  'records.removed': {
    chain: text,
    first: z.number(),
    last: z.number(),
    count: z.number(),
    reference: text,
    /** SHA-256 of the JWS of the tombstone. */
    tombstone: text,
  },
  // Published on reeve.audit.v1 beside the records: on a topic that is audited, each checkpoint would make the next one necessary.
  'checkpoint.signed': {},
  'alert.raised': alert,
  'alert.acknowledged': alert,
  'alert_rule.updated': { enabled: z.boolean(), thresholds: list },
  'access.denied': { action: text },
  'access.platform_used': { action: text, statedReason: text },
});

export const eventTypes = { ...auth, ...directory, ...connector, ...webhook, ...secret, ...activity };

export type EventType = keyof typeof eventTypes & string;
export type EventDetails<T extends EventType> = z.infer<(typeof eventTypes)[T]['details']>;

export function isEventType(type: string): type is EventType {
  return Object.hasOwn(eventTypes, type);
}
