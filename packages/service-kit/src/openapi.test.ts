import { describe, expect, test } from '@jest/globals';
import { newId } from '@reeve/contracts';
import { z } from 'zod';
import { openApiDocument } from './openapi.ts';
import { openRoute, ownRoute, pageQuery, type Route, tenantRoute } from './route.ts';

type Schema = { type?: string; format?: string; pattern?: string; maxLength?: number };
type Operation = {
  responses: Record<string, { description: string; headers?: Record<string, unknown>; content?: object }>;
  operationId: string;
  security: unknown[];
  parameters: { name: string; in: string; required: boolean; schema: Schema }[];
  requestBody: { content: { 'application/json': { schema: { properties: Record<string, Schema> } } } };
};

const handle = () => Promise.reject(new Error('nobody calls it'));
const body = z.strictObject({ email: z.email().max(320) });
const tenant = '/v1/tenants/{tenantId}' as const;
const routes: Route[] = [
  openRoute({ method: 'get', path: '/', summary: 'Root', open: 'a test', answer: 'page', handle }),
  openRoute({ method: 'get', path: '/.well-known/the-keys', summary: 'Keys', open: 'a test', answer: 'json', handle }),
  ownRoute({ method: 'get', path: '/v1/me/sessions', summary: 'Own', action: 'sessions:read', handle }),
  tenantRoute({
    method: 'get',
    path: `${tenant}/users`,
    summary: 'List',
    action: 'users:read',
    query: pageQuery,
    handle,
  }),
  tenantRoute({ method: 'post', path: `${tenant}/users`, summary: 'Make', action: 'users:write', body, handle }),
  {
    ...tenantRoute({ method: 'get', path: `${tenant}/all`, summary: 'All', action: 'users:read', handle }),
    atMost: '1',
  },
  tenantRoute({ method: 'get', path: `${tenant}/users/{userId}`, summary: 'Read', action: 'users:read', handle }),
  tenantRoute({ method: 'post', path: `${tenant}/users/{userId}:x-y`, summary: 'Verb', action: 'users:write', handle }),
];
const document = openApiDocument({ name: 'test', selfUrl: 'http://self', issuer: 'http://issuer', routes });
const operation = (method: string, path: string) => document.paths[path]?.[method] as Operation;
const parameter = (method: string, path: string, name: string) =>
  operation(method, path).parameters.find(one => one.name === name)?.schema;

/** What somebody who generates a client from the document takes for valid. */
const takes = ({ pattern, maxLength = Number.POSITIVE_INFINITY }: Schema, text: string) =>
  pattern !== undefined && new RegExp(pattern, 'u').test(text) && text.length <= maxLength;

describe('the OpenAPI document', () => {
  test('names each operation in letters and digits, and no two alike', () => {
    const ids = Object.values(document.paths).flatMap(path =>
      Object.values(path).map(one => (one as Operation).operationId),
    );
    expect(ids).toHaveLength(routes.length);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]*$/);
    expect(ids).toContain('postV1TenantsTenantIdUsersUserIdXY');
  });

  test('asks for no scope of a tenant where the person decides, and for one elsewhere', () => {
    expect(operation('get', '/v1/me/sessions').security).toEqual([{ reeve: [] }]);
    expect(operation('get', `${tenant}/users`).security).toEqual([
      { reeve: ['platform:admin'] },
      { reeve: ['tenant:{tenantId}'] },
    ]);
    expect(operation('get', '/').security).toEqual([]);
  });

  test('says of what is limited with which answer more is refused', () => {
    const { 429: tooMany, default: other } = operation('get', `${tenant}/all`).responses;
    expect(tooMany).toMatchObject({ description: 'More than 1', headers: { 'Retry-After': {} } });
    expect(tooMany?.content).toEqual(other?.content);
    expect(operation('get', `${tenant}/users`).responses).not.toHaveProperty('429');
  });

  test.each([
    ['abc-123', true],
    ['~!@#', true],
    ['x'.repeat(200), true],
    ['x'.repeat(201), false],
    ['', false],
    ['a b', false],
    ['é', false],
  ])('an Idempotency-Key of %j: %p', (key, isOne) => {
    expect(takes(parameter('post', `${tenant}/users`, 'Idempotency-Key') ?? {}, key)).toBe(isOne);
  });

  test('asks for an Idempotency-Key where something changes alone', () => {
    expect(parameter('get', `${tenant}/users`, 'Idempotency-Key')).toBeUndefined();
  });

  test.each([
    ['eyJhIjox_-0', true],
    ['x'.repeat(1_000), true],
    ['x'.repeat(1_001), false],
    ['', false],
    ['a b', false],
    ['a=', false],
  ])('a cursor of %j, as the route has it: %p', (cursor, isOne) => {
    expect(takes(parameter('get', `${tenant}/users`, 'cursor') ?? {}, cursor)).toBe(isOne);
    expect(pageQuery.safeParse({ cursor }).success).toBe(isOne);
  });

  test.each([
    ['ada@example.org', true],
    ['ada+news@mail.example.org', true],
    ["o'neil@example.org", true],
    [`${'x'.repeat(308)}@example.org`, true],
    [`${'x'.repeat(309)}@example.org`, false],
    ['ada@localhost', false],
    ['.ada@example.org', false],
    ['ada..b@example.org', false],
    ['ada @example.org', false],
    ['Ada <ada@example.org>', false],
    ['ada@bücher.example', false],
    ['', false],
  ])('an address of %j, as the route has it: %p', (email, isOne) => {
    const schema = operation('post', `${tenant}/users`).requestBody.content['application/json'].schema.properties[
      'email'
    ];
    expect(schema).toMatchObject({ type: 'string', format: 'email' });
    expect(takes(schema ?? {}, email)).toBe(isOne);
    expect(body.safeParse({ email }).success).toBe(isOne);
  });

  test('shows ids in the form that they have', () => {
    const schema = parameter('get', `${tenant}/users/{userId}`, 'userId') ?? {};
    expect(takes(schema, newId('user'))).toBe(true);
    for (const wrong of [newId('session'), 'usr_x', `${newId('user')}:x-y`]) expect(takes(schema, wrong)).toBe(false);
  });
});
