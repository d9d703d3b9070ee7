// Each event type, with records that vary in all that a mapping looks at, against the rules of OCSF 1.8.0 for the classes that are used: which attributes a class
// requires, which of several it needs, which activities it knows, and how numbers follow from one another.
import { describe, expect, test } from '@jest/globals';
import { type EventType, emptyContext, eventTypes } from '@reeve/contracts';
import { type AuditRecord, chain } from '../record.ts';
import { toOcsf } from './ocsf.ts';

type Ocsf = Record<string, unknown>;
type Rule = { category: number; required: string[]; activities: number; holds?: (event: Ocsf) => boolean };

const has = (value: unknown, ...names: string[]) =>
  names.some(name => (value as Ocsf | undefined)?.[name] !== undefined);

const classes: Record<number, Rule> = {
  2004: {
    category: 2,
    required: ['finding_info'],
    activities: 3,
    holds: event => !has(event, 'actor', 'src_endpoint', 'user'),
  },
  3001: { category: 3, required: ['user'], activities: 12 },
  3002: { category: 3, required: ['user'], activities: 7, holds: event => has(event, 'service', 'dst_endpoint') },
  3004: { category: 3, required: ['entity'], activities: 13 },
  3005: { category: 3, required: ['user', 'privileges'], activities: 2 },
  3006: { category: 3, required: ['group'], activities: 8 },
  6003: { category: 6, required: ['actor', 'api', 'src_endpoint'], activities: 4 },
};
const base = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];
/** Of an object, at least one. */
const objects: Record<string, string[]> = {
  user: ['account', 'name', 'uid'],
  actor: ['process', 'user', 'invoked_by', 'session', 'app_name', 'app_uid'],
  src_endpoint: ['ip', 'uid', 'name', 'hostname'],
  entity: ['name', 'uid', 'device', 'group', 'org', 'policy', 'user'],
  group: ['name', 'uid'],
  service: ['name', 'uid'],
};

function assertValid(event: Ocsf) {
  const rule = classes[Number(event['class_uid'])];
  expect(rule).toBeDefined();
  if (!rule) return;
  for (const name of [...base, ...rule.required]) expect([name, event[name] !== undefined]).toEqual([name, true]);
  expect(event['category_uid']).toBe(rule.category);
  const activity = Number(event['activity_id']);
  expect(activity === 99 || (activity >= 0 && activity <= rule.activities)).toBe(true);
  expect(event['type_uid']).toBe(Number(event['class_uid']) * 100 + activity);
  if (activity === 99) expect(event['activity_name']).toEqual(expect.any(String));
  expect(Number(event['time'])).toBeGreaterThan(1e12);
  expect([0, 1, 2, 99]).toContain(event['status_id']);
  expect([0, 1, 2, 3, 4, 5, 6, 99]).toContain(event['severity_id']);
  expect(event['metadata']).toMatchObject({ version: '1.8.0', product: { name: 'Reeve' } });
  expect(rule.holds?.(event) ?? true).toBe(true);
  for (const [name, oneOf] of Object.entries(objects))
    if (event[name] !== undefined) expect([name, has(event[name], ...oneOf)]).toEqual([name, true]);
  if (event['privileges'] !== undefined) expect(event['privileges']).not.toContain('undefined');
  const endpoint = event['src_endpoint'] as { ip?: string } | undefined;
  if (endpoint?.ip !== undefined) expect(endpoint.ip).toMatch(/^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:.]+(%\w+)?)$/i);
}

function eventOf(type: string, changes: Partial<AuditRecord> = {}): Ocsf {
  const { record } = chain(null, {
    tenantId: 'ten_1',
    chain: 'reeve.auth.v1/0',
    eventId: 'e1',
    type,
    source: '/reeve/auth',
    subject: 's',
    time: '2026-11-21T00:00:00.000Z',
    correlationId: 'c',
    causationId: null,
    traceId: null,
    actor: { type: 'user', id: 'usr_1', name: null, via: 'session' },
    target: { type: 'user', id: 'usr_2', name: 'Zoë' },
    outcome: 'success',
    reason: { code: 'x', rule: null, basis: null },
    context: emptyContext,
    details: {},
    ...changes,
  });
  return toOcsf({ record, canonical: '{}', hash: '0'.repeat(64) }, 'k');
}

const types = [
  ...(Object.keys(eventTypes) as EventType[]),
  'audit.dead_lettered',
  'of.the_future',
  'x.constructor',
  'toString',
];
const actors = (['user', 'client', 'service', 'identity_provider', 'stranger'] as const).flatMap(type => [
  { type, id: 'a', name: 'A', via: 'session' } as const,
  { type, id: null, name: null, via: 'idp' } as const,
]);
const details = [
  {},
  { userId: 'usr_3', method: 'saml', scopes: ['a', 'b'], role: 'r' },
  { userId: null, method: 'magic', scopes: null },
];
const addresses = [null, '192.0.2.1', '2001:db8::1', '203.0.113.5:443', '[2001:db8::1]:80', 'unknown', ''];

const nobody = { type: 'session', id: null, name: null };
const variations: Partial<AuditRecord>[] = [
  {},
  { target: nobody },
  ...(['success', 'failure', 'denied'] as const).map(outcome => ({ outcome })),
  ...actors.flatMap(actor => [{ actor }, { actor, target: nobody }]),
  ...details.flatMap(given => [{ details: given }, { details: given, target: nobody }]),
  ...addresses.map(ip => ({ context: { ...emptyContext, ip, sessionId: ip } })),
];

test.each(types)('%s is an event of its class', type => {
  for (const changes of variations) assertValid(eventOf(type, changes));
});

describe('the rules', () => {
  test.each([
    ['a required attribute is missing', { user: undefined }],
    ['the type does not follow from class and activity', { type_uid: 300_199 }],
    ['the time is in seconds', { time: 1_795_000_000 }],
    ['neither service nor destination is named', { service: undefined }],
    ['a user has neither name nor id', { user: {} }],
    ['an activity is none of the class', { activity_id: 42, type_uid: 300_242 }],
  ])('refuse an event when %s', (_, changes) => {
    const whole = eventOf('sign_in.succeeded');
    expect(() => assertValid(whole)).not.toThrow();
    expect(() => assertValid({ ...whole, ...changes })).toThrow();
  });
});

describe('a mapping', () => {
  test('names the protocol of the sign-in, and OAuth for tokens', () => {
    expect(eventOf('sign_in.succeeded', { details: { method: 'oidc' } })).toMatchObject({ auth_protocol_id: 4 });
    expect(eventOf('sign_in.failed', { details: { method: 'saml' } })).toMatchObject({ auth_protocol_id: 5 });
    expect(eventOf('token.refreshed')).toMatchObject({ auth_protocol_id: 6 });
    expect(eventOf('session.revoked')['auth_protocol_id']).toBeUndefined();
  });

  test('names the session that something happened to, not the one it was done from', () => {
    const context = { ...emptyContext, sessionId: 'ses_admin' };
    const target = { type: 'session', id: 'ses_1', name: null };
    expect(eventOf('session.revoked', { context, target })).toMatchObject({ session: { uid: 'ses_1' } });
    expect(eventOf('token.refreshed', { context })).toMatchObject({ session: { uid: 'ses_admin' } });
  });

  test('puts memberships into the class of groups', () => {
    const target = { type: 'group', id: 'grp_1', name: 'Admins' };
    expect(eventOf('membership.added', { target, details: { userId: 'usr_9' } })).toMatchObject({
      class_uid: 3006,
      activity_id: 3,
      group: { uid: 'grp_1', name: 'Admins' },
      user: { uid: 'usr_9' },
    });
  });
});
