// Which OCSF 1.8.0 class, activity and category each event type is, with the captions that the schema gives them.
import type { AuditRecord } from '../record.ts';

export const ocsfVersion = '1.8.0';

type ClassId = 2004 | 3001 | 3002 | 3004 | 3005 | 3006 | 6003;
type Shape = { class: ClassId; activity: number };

/** In each enumeration of OCSF: what the source says itself. */
export const other = 99;

const iam = { uid: 3, name: 'Identity & Access Management' };
const findings = { uid: 2, name: 'Findings' };
const application = { uid: 6, name: 'Application Activity' };

/** Of the activities, those that are used below. */
const classes: Record<ClassId, { name: string; category: typeof iam; activities: Record<number, string> }> = {
  2004: { name: 'Detection Finding', category: findings, activities: { 1: 'Create', 2: 'Update' } },
  3001: {
    name: 'Account Change',
    category: iam,
    activities: {
      1: 'Create',
      2: 'Enable',
      5: 'Disable',
      6: 'Delete',
      10: 'MFA Factor Enable',
      11: 'MFA Factor Disable',
    },
  },
  3002: {
    name: 'Authentication',
    category: iam,
    activities: {
      1: 'Logon',
      2: 'Logoff',
      3: 'Authentication Ticket',
      4: 'Service Ticket Request',
      5: 'Service Ticket Renew',
    },
  },
  3004: {
    name: 'Entity Management',
    category: iam,
    activities: {
      1: 'Create',
      3: 'Update',
      4: 'Delete',
      6: 'Enroll',
      7: 'Unenroll',
      8: 'Enable',
      9: 'Disable',
      10: 'Activate',
      11: 'Deactivate',
      12: 'Suspend',
      13: 'Resume',
    },
  },
  3005: {
    name: 'User Access Management',
    category: iam,
    activities: { 1: 'Assign Privileges', 2: 'Revoke Privileges' },
  },
  3006: {
    name: 'Group Management',
    category: iam,
    activities: { 3: 'Add User', 4: 'Remove User', 5: 'Delete', 6: 'Create' },
  },
  6003: { name: 'API Activity', category: application, activities: { 1: 'Create', 2: 'Read' } },
};

const account = (activity: number): Shape => ({ class: 3001, activity });
const authentication = (activity: number): Shape => ({ class: 3002, activity });
const entity = (activity: number): Shape => ({ class: 3004, activity });
const userAccess = (activity: number): Shape => ({ class: 3005, activity });
const group = (activity: number): Shape => ({ class: 3006, activity });
const api = (activity: number): Shape => ({ class: 6003, activity });
const finding = (activity: number): Shape => ({ class: 2004, activity });

/** Types with a class of their own; all others follow from their verb (`entityActivities`). */
const shapes: Record<string, Shape> = {
  'sign_in.succeeded': authentication(1),
  'sign_in.failed': authentication(1),
  'step_up.succeeded': authentication(1),
  'step_up.failed': authentication(1),
  'session.created': authentication(3),
  'session.revoked': authentication(2),
  'session.expired': authentication(2),
  'session.logout_undelivered': authentication(2),
  'token.refreshed': authentication(5),
  'token.exchanged': authentication(4),
  'identity_assertion.redeemed': authentication(4),
  'identity_assertion.refused': authentication(4),
  'identity_assertion.issued': authentication(4),
  'identity_assertion.not_issued': authentication(4),
  'user.created': account(1),
  'user.reactivated': account(2),
  'user.deactivated': account(5),
  'user.deleted': account(6),
  'mfa_factor.enrolled': account(10),
  'mfa_factor.removed': account(11),
  'role.assigned': userAccess(1),
  'role.unassigned': userAccess(2),
  'consent.granted': userAccess(1),
  'consent.revoked': userAccess(2),
  'membership.added': group(3),
  'membership.removed': group(4),
  'group.created': group(6),
  'group.deleted': group(5),
  'secret.accessed': api(2),
  'delivery.accepted': api(1),
  'delivery.rejected': api(1),
  'delivery.duplicated': api(1),
  'audit.read': api(2),
  'audit.exported': api(2),
  'alert.raised': finding(1),
  'alert.acknowledged': finding(2),
  'access.denied': api(99),
  'access.platform_used': api(99),
};

const entityActivities: Record<string, number> = {
  created: 1,
  stored: 1,
  requested: 1,
  updated: 3,
  rotated: 3,
  secret_rotated: 3,
  token_rotated: 3,
  deleted: 4,
  destroyed: 4,
  linked: 6,
  unlinked: 7,
  enabled: 8,
  disabled: 9,
  activated: 10,
  installed: 10,
  uninstalled: 11,
  suspended: 12,
  resumed: 13,
};

/** Types are chosen elsewhere, and `constructor` is one. */
export const own = <T>(table: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

export function shapeOf(type: string): Shape {
  return own(shapes, type) ?? entity(own(entityActivities, type.slice(type.indexOf('.') + 1)) ?? other);
}

/** What each event says of its class. An activity that the class does not have is called by the event's type. */
export function classified({ class: classId, activity }: Shape, type: AuditRecord['type']) {
  const { name, category, activities } = classes[classId];
  const caption = activities[activity];
  return {
    category_uid: category.uid,
    category_name: category.name,
    class_uid: classId,
    class_name: name,
    activity_id: activity,
    activity_name: caption ?? type,
    type_uid: classId * 100 + activity,
    type_name: `${name}: ${caption ?? 'Other'}`,
  };
}
