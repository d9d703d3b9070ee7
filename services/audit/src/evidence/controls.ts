// Which controls of which frameworks the records of a log are evidence for. A mapping is a help for whoever audits, not a claim that a control is met.
import type { EventType } from '@reeve/contracts';

export type Control = { framework: string; id: string; title: string; shownBy: string; types: readonly EventType[] };

const signIns = ['sign_in.succeeded', 'sign_in.failed', 'step_up.succeeded', 'step_up.failed'] as const;
const sessions = ['session.created', 'session.revoked', 'session.expired'] as const;
const tokens = ['token.refreshed', 'token.reuse_detected', 'token.revoked', 'token.exchanged'] as const;
const people = ['user.created', 'user.updated', 'user.deactivated', 'user.reactivated', 'user.deleted'] as const;
const identities = ['identity.linked', 'identity.unlinked', 'identity.conflicted'] as const;
const rights = ['role.assigned', 'role.unassigned', 'membership.added', 'membership.removed'] as const;
const consents = ['consent.granted', 'consent.denied', 'consent.revoked', 'consent.expired'] as const;
const installations = ['installation.approved', 'installation.installed', 'installation.uninstalled'] as const;
const ssoChanges = ['connection.created', 'connection.updated', 'connection.activated', 'connection.deleted'] as const;
const secrets = ['secret.stored', 'secret.accessed', 'secret.rewrapped', 'secret.destroyed'] as const;
const refusals = ['access.denied', 'delivery.rejected'] as const;
const alerts = ['alert.raised', 'alert.acknowledged'] as const;
const readings = ['audit.read', 'audit.exported'] as const;
const removals = [
  'retention.updated',
  'hold.placed',
  'hold.released',
  'deletion.requested',
  'deletion.confirmed',
  'deletion.completed',
  'records.removed',
] as const;

const soc2 = 'SOC 2 (Trust Services Criteria 2017)';
const iso = 'ISO/IEC 27001:2022, Annex A';
const asvs = 'OWASP ASVS 5.0, V16';

export const controls: readonly Control[] = [
  {
    framework: soc2,
    id: 'CC6.1',
    title: 'Logical access security',
    shownBy: 'who signed in, how, and which secrets were used',
    types: [...signIns, ...sessions, ...secrets],
  },
  {
    framework: soc2,
    id: 'CC6.2',
    title: 'Registration and authorization of users',
    shownBy: 'who was admitted, linked and deactivated',
    types: [...people, ...identities],
  },
  {
    framework: soc2,
    id: 'CC6.3',
    title: 'Access is changed and removed by role',
    shownBy: 'roles, memberships and consents given and taken',
    types: [...rights, ...consents],
  },
  {
    framework: soc2,
    id: 'CC6.6',
    title: 'Protection against threats from outside',
    shownBy: 'what was refused at the borders',
    types: [...refusals, 'sign_in.failed'],
  },
  {
    framework: soc2,
    id: 'CC7.2',
    title: 'Monitoring for anomalies',
    shownBy: 'alerts raised, with their evidence',
    types: alerts,
  },
  {
    framework: soc2,
    id: 'CC7.3',
    title: 'Evaluation of security events',
    shownBy: 'alerts acknowledged, by whom',
    types: ['alert.acknowledged'],
  },
  {
    framework: soc2,
    id: 'CC8.1',
    title: 'Changes are authorized',
    shownBy: 'changes of SSO, clients and signing keys',
    types: [...ssoChanges, 'client.created', 'client.updated', 'client.deleted', 'signing_key.rotated'],
  },
  {
    framework: iso,
    id: 'A.5.15',
    title: 'Access control',
    shownBy: 'access that was denied',
    types: ['access.denied', 'access.platform_used'],
  },
  {
    framework: iso,
    id: 'A.5.16',
    title: 'Identity management',
    shownBy: 'the life of each identity',
    types: [...people, ...identities],
  },
  {
    framework: iso,
    id: 'A.5.17',
    title: 'Authentication information',
    shownBy: 'factors, keys and secrets',
    types: ['mfa_factor.enrolled', 'mfa_factor.removed', ...secrets],
  },
  {
    framework: iso,
    id: 'A.5.18',
    title: 'Access rights',
    shownBy: 'rights given, reviewed and taken',
    types: [...rights, ...consents, 'consent.reviewed'],
  },
  {
    framework: iso,
    id: 'A.5.19',
    title: 'Supplier relationships',
    shownBy: 'connectors approved, installed and removed',
    types: installations,
  },
  {
    framework: iso,
    id: 'A.5.28',
    title: 'Collection of evidence',
    shownBy: 'this package: records with proofs',
    types: readings,
  },
  {
    framework: iso,
    id: 'A.5.33',
    title: 'Protection of records',
    shownBy: 'the chain, the checkpoints, legal holds',
    types: ['hold.placed', 'hold.released'],
  },
  {
    framework: iso,
    id: 'A.8.2',
    title: 'Privileged access rights',
    shownBy: 'roles, and use of the platform’s access',
    types: ['role.assigned', 'role.unassigned', 'access.platform_used'],
  },
  {
    framework: iso,
    id: 'A.8.5',
    title: 'Secure authentication',
    shownBy: 'sign-ins, sessions and tokens',
    types: [...signIns, ...sessions, ...tokens],
  },
  {
    framework: iso,
    id: 'A.8.10',
    title: 'Information deletion',
    shownBy: 'retention and deletion, with what is left',
    types: removals,
  },
  { framework: iso, id: 'A.8.15', title: 'Logging', shownBy: 'all records of the period', types: [] },
  { framework: iso, id: 'A.8.16', title: 'Monitoring activities', shownBy: 'alerts', types: alerts },
  {
    framework: asvs,
    id: '16.2.1',
    title: 'Entries say when, where, who and what',
    shownBy: 'every record: time, source, actor, target, outcome, reason',
    types: [],
  },
  {
    framework: asvs,
    id: '16.3.1',
    title: 'Authentication operations are logged',
    shownBy: 'successful and failed',
    types: signIns,
  },
  {
    framework: asvs,
    id: '16.3.2',
    title: 'Failed authorization attempts are logged',
    shownBy: 'denied access',
    types: ['access.denied'],
  },
  {
    framework: asvs,
    id: '16.3.3',
    title: 'Attempts to bypass controls are logged',
    shownBy: 'forged deliveries, reused tokens, alerts',
    types: [...refusals, 'token.reuse_detected', ...alerts],
  },
  {
    framework: asvs,
    id: '16.4.2',
    title: 'Logs are protected from access and change',
    shownBy: 'hash chain, signed checkpoints; who read the log',
    types: readings,
  },
  {
    framework: asvs,
    id: '16.4.3',
    title: 'Logs are sent to a separate system',
    shownBy: 'sinks',
    types: ['sink.created', 'sink.updated', 'sink.failed', 'sink.deleted'],
  },
];
