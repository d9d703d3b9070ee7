// Which controls of which frameworks the records of a log are evidence for. A mapping is a help for whoever audits,
// not a claim that a control is met.
import type { EventType } from '@reeve/contracts';

export type Control = { framework: string; id: string; title: string; shownBy: string; types: readonly EventType[] };

/** Its id and title, what of the log shows it, and which types that are; none for all of them. */
type Row = readonly [id: string, title: string, shownBy: string, types: readonly EventType[]];

const controlsOf = (framework: string, rows: readonly Row[]): Control[] =>
  rows.map(([id, title, shownBy, types]) => ({ framework, id, title, shownBy, types }));

const signIns = ['sign_in.succeeded', 'sign_in.failed', 'step_up.succeeded', 'step_up.failed'] as const;
const sessions = ['session.created', 'session.revoked', 'session.expired'] as const;
const tokens = [
  'token.refreshed',
  'token.reuse_detected',
  'token.revoked',
  'token.exchanged',
  'identity_assertion.redeemed',
  'identity_assertion.refused',
  'identity_assertion.issued',
  'identity_assertion.not_issued',
] as const;
const people = ['user.created', 'user.updated', 'user.deactivated', 'user.reactivated', 'user.deleted'] as const;
const identities = ['identity.linked', 'identity.unlinked', 'identity.conflicted'] as const;
const rights = ['role.assigned', 'role.unassigned', 'membership.added', 'membership.removed'] as const;
const consents = ['consent.granted', 'consent.denied', 'consent.revoked', 'consent.expired'] as const;
const installations = ['installation.approved', 'installation.installed', 'installation.uninstalled'] as const;
const ssoChanges = [
  'connection.created',
  'connection.updated',
  'connection.activated',
  'connection.rolled_back',
  'connection.key_rotated',
  'connection.metadata_refreshed',
  'connection.deleted',
] as const;
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

export const controls: readonly Control[] = [
  ...controlsOf('SOC 2 (Trust Services Criteria 2017)', [
    [
      'CC6.1',
      'Logical access security',
      'who signed in, how, and which secrets were used',
      [...signIns, ...sessions, ...secrets],
    ],
    [
      'CC6.2',
      'Registration and authorization of users',
      'who was admitted, linked and deactivated',
      [...people, ...identities],
    ],
    [
      'CC6.3',
      'Access is changed and removed by role',
      'roles, memberships and consents given and taken',
      [...rights, ...consents],
    ],
    [
      'CC6.6',
      'Protection against threats from outside',
      'what was refused at the borders',
      [...refusals, 'sign_in.failed'],
    ],
    ['CC7.2', 'Monitoring for anomalies', 'alerts raised, with their evidence', alerts],
    ['CC7.3', 'Evaluation of security events', 'alerts acknowledged, by whom', ['alert.acknowledged']],
    [
      'CC8.1',
      'Changes are authorized',
      'changes of SSO, clients and signing keys',
      [...ssoChanges, 'client.created', 'client.updated', 'client.deleted', 'signing_key.rotated'],
    ],
  ]),
  ...controlsOf('ISO/IEC 27001:2022, Annex A', [
    ['A.5.15', 'Access control', 'access that was denied', ['access.denied', 'access.platform_used']],
    ['A.5.16', 'Identity management', 'the life of each identity', [...people, ...identities]],
    [
      'A.5.17',
      'Authentication information',
      'factors, keys and secrets',
      ['mfa_factor.enrolled', 'mfa_factor.removed', ...secrets],
    ],
    ['A.5.18', 'Access rights', 'rights given, reviewed and taken', [...rights, ...consents, 'consent.reviewed']],
    ['A.5.19', 'Supplier relationships', 'connectors approved, installed and removed', installations],
    ['A.5.28', 'Collection of evidence', 'this package: records with proofs', readings],
    ['A.5.33', 'Protection of records', 'the chain, the checkpoints, legal holds', ['hold.placed', 'hold.released']],
    [
      'A.8.2',
      'Privileged access rights',
      'roles, and use of the platform’s access',
      ['role.assigned', 'role.unassigned', 'access.platform_used'],
    ],
    ['A.8.5', 'Secure authentication', 'sign-ins, sessions and tokens', [...signIns, ...sessions, ...tokens]],
    ['A.8.10', 'Information deletion', 'retention and deletion, with what is left', removals],
    ['A.8.15', 'Logging', 'all records of the period', []],
    ['A.8.16', 'Monitoring activities', 'alerts', alerts],
  ]),
  ...controlsOf('OWASP ASVS 5.0, V16', [
    [
      '16.2.1',
      'Entries say when, where, who and what',
      'every record: time, source, actor, target, outcome, reason',
      [],
    ],
    ['16.3.1', 'Authentication operations are logged', 'successful and failed', signIns],
    ['16.3.2', 'Failed authorization attempts are logged', 'denied access', ['access.denied']],
    [
      '16.3.3',
      'Attempts to bypass controls are logged',
      'forged deliveries, reused tokens, alerts',
      [...refusals, 'token.reuse_detected', ...alerts],
    ],
    [
      '16.4.2',
      'Logs are protected from access and change',
      'hash chain, signed checkpoints; who read the log',
      readings,
    ],
    [
      '16.4.3',
      'Logs are sent to a separate system',
      'sinks',
      ['sink.created', 'sink.updated', 'sink.failed', 'sink.deleted'],
    ],
  ]),
];
