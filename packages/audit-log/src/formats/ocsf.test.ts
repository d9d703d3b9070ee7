// Each event type, with records that vary in all that a mapping looks at, against the rules of OCSF 1.8.0 for the
// classes that are used: which attributes a class requires, which of several it needs, which activities it knows, and
// how numbers follow from one another.
import { describe, expect, test } from '@jest/globals';
import { type EventType, emptyContext, eventTypes } from '@reeve/contracts';
import { type AuditRecord, canonicalJson, chain, hashOf } from '../record.ts';
import { saysWhatItHolds } from './entry.ts';
import { ocsf, toOcsf } from './ocsf.ts';

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
/** As the schema has them, of the values that are used. */
const captions: Record<string, Record<number, string>> = {
  category: { 2: 'Findings', 3: 'Identity & Access Management', 6: 'Application Activity' },
  class: {
    2004: 'Detection Finding',
    3001: 'Account Change',
    3002: 'Authentication',
    3004: 'Entity Management',
    3005: 'User Access Management',
    3006: 'Group Management',
    6003: 'API Activity',
  },
  severity: { 0: 'Unknown', 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High', 5: 'Critical' },
  status: { 0: 'Unknown', 1: 'Success', 2: 'Failure' },
  findingStatus: { 0: 'Unknown', 1: 'New', 2: 'In Progress' },
  auth_protocol: { 4: 'OpenID', 5: 'SAML', 6: 'OAUTH 2.0' },
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
  const caption = (of: string, id: unknown) => captions[of]?.[Number(id)];
  expect(event['category_name']).toBe(caption('category', event['category_uid']));
  expect(event['class_name']).toBe(caption('class', event['class_uid']));
  expect(event['activity_name']).toEqual(expect.any(String));
  const activityName = activity === 99 ? 'Other' : String(event['activity_name']);
  expect(event['type_name']).toBe(`${String(event['class_name'])}: ${activityName}`);
  expect(event['severity']).toBe(caption('severity', event['severity_id']));
  expect(event['status']).toBe(caption(event['class_uid'] === 2004 ? 'findingStatus' : 'status', event['status_id']));
  const protocol = event['auth_protocol_id'];
  if (protocol !== undefined && protocol !== 99)
    expect(event['auth_protocol']).toBe(caption('auth_protocol', protocol));
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
  const { record } = chain(null, { ...recordOf(type), ...changes });
  return toOcsf({ record, canonical: '{}', hash: '0'.repeat(64) }, 'k');
}

function recordOf(type: string): Omit<AuditRecord, 'sequence' | 'previousHash'> {
  return {
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
  };
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
    ['a caption is not that of its number', { severity: 'High' }],
    ['the type is called otherwise than its class and activity', { type_name: 'Authentication: Logoff' }],
  ])('refuse an event when %s', (_, changes) => {
    const whole = eventOf('sign_in.succeeded');
    expect(() => assertValid(whole)).not.toThrow();
    expect(() => assertValid({ ...whole, ...changes })).toThrow();
  });
});

describe('an address', () => {
  const email = 'ann@example.org';
  const ann = { type: 'user', id: 'usr_2', name: null } as const;

  test('is that of the user whom the event is about, and of the actor where that is the same', () => {
    const created = eventOf('user.created', { details: { email } });
    expect(created).toMatchObject({ user: { uid: 'usr_2', email_addr: email }, actor: { user: { uid: 'usr_1' } } });
    expect(JSON.stringify(created['actor'])).not.toContain('email_addr');
    const self = eventOf('user.updated', { details: { email }, actor: { ...ann, via: 'session' } });
    expect(self).toMatchObject({
      entity: { uid: 'usr_2', user: { uid: 'usr_2', email_addr: email } },
      actor: { user: { uid: 'usr_2', email_addr: email } },
    });
  });

  test('is nobody else’s: not of a name that looks like one, of another target, or of another user of the details', () => {
    const actor = { type: 'user', id: 'usr_1', name: 'ceo@example.org', via: 'session' } as const;
    const group = { type: 'group', id: 'usr_1', name: email };
    for (const event of [
      eventOf('user.created', { actor, target: { ...ann, name: email } }),
      eventOf('group.created', { actor, target: group, details: { email } }),
      eventOf('role.assigned', { actor, details: { email, userId: 'usr_3' } }),
      ...['Ann <ann@example.org>', 'ann', 'ann@example', 'ännä@example.org', 7].map(other =>
        eventOf('user.created', { details: { email: other } }),
      ),
    ])
      expect(JSON.stringify({ ...event, raw_data: '' })).not.toContain('email_addr');
  });
});

test.each([
  'user.created',
  'sign_in.succeeded',
  'connection.updated',
  'consent.granted',
  'group.created',
  'audit.read',
])('%s names the user agent of its request', type => {
  const userAgent = 'Mozilla/5.0';
  const event = eventOf(type, { context: { ...emptyContext, userAgent } });
  expect(event).toMatchObject({ http_request: { user_agent: userAgent } });
  expect(eventOf(type)['http_request']).toBeUndefined();
});

describe('what the release before wrote', () => {
  const written = (event: Ocsf, without: readonly string[]) =>
    JSON.stringify(event, (name, value: unknown) => (without.includes(name) ? undefined : value));
  const details = { email: 'ann@example.org', source: 'admin' };
  const context = { ...emptyContext, ip: '192.0.2.1', userAgent: 'Mozilla/5.0' };
  const added = ['category_name', 'class_name', 'type_name', 'severity', 'status', 'http_request', 'email_addr'];

  test.each([
    ['user.created', [...added, 'activity_name']],
    ['sign_in.succeeded', [...added, 'activity_name', 'auth_protocol']],
    // It named an activity that the class does not have.
    ['access.denied', added],
    ['alert.raised', [...added, 'activity_name']],
  ] as const)('of %s is taken, and nothing between that and what this one writes', (type, without) => {
    const { record } = chain(null, { ...recordOf(type), details: { ...details, method: 'oidc' }, context });
    const canonical = canonicalJson(record);
    const chained = { record, canonical, hash: hashOf(record.previousHash, canonical) };
    const event = toOcsf(chained, 'k');
    const isTaken = (line: string) => saysWhatItHolds(ocsf, line, ocsf.read(line));
    expect(isTaken(written(event, []))).toBe(true);
    expect(isTaken(written(event, without))).toBe(true);
    for (const one of without.filter(name => written(event, [name]) !== written(event, [])))
      expect([one, isTaken(written(event, [one]))]).toEqual([one, false]);
    expect(isTaken(written({ ...event, severity_id: 6 }, without))).toBe(false);
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
    const target = { type: 'membership', id: 'grp_1', name: 'Admins' };
    expect(eventOf('membership.added', { target, details: { userId: 'usr_9' } })).toMatchObject({
      class_uid: 3006,
      activity_id: 3,
      group: { uid: 'grp_1', name: 'Admins' },
      user: { uid: 'usr_9' },
    });
  });
});
