// The OpenAPI 3.1 document, from the declarations that also serve the requests.
import { type Action, actions } from '@reeve/access';
import { idPrefixes, problemSchema } from '@reeve/contracts';
import { z } from 'zod';
import { idempotencyKeyForm } from './idempotency.ts';
import { idKindOf, parametersIn } from './path.ts';
import type { Route } from './route.ts';

type Schema = Record<string, unknown>;

const schemaOf = (schema: z.ZodType): Schema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};

function pathParameter(name: string) {
  const kind = idKindOf(name);
  const schema =
    kind === null ? { type: 'string' } : { type: 'string', pattern: `^${idPrefixes[kind]}_[0-9a-f-]{36}$` };
  return { name, in: 'path', required: true, schema };
}

function header(name: string, schema: Schema, description: string) {
  return { name, in: 'header', required: false, schema, description };
}

function headersOf({ method, answer, versioned, caller }: Route) {
  const isChange = method !== 'get' && answer === 'json' && caller === 'bearer';
  return [
    ...(isChange
      ? [
          header(
            'Idempotency-Key',
            { type: 'string', pattern: idempotencyKeyForm.source },
            'The same request again under the same key is done once and answered alike, for a day',
          ),
        ]
      : []),
    ...(versioned
      ? [header('If-Match', { type: 'string' }, 'The ETag that was read: a change since then is answered with 412')]
      : []),
  ];
}

function parametersOf(route: Route): unknown[] {
  const query = route.query ? schemaOf(route.query) : {};
  const required = (query['required'] ?? []) as string[];
  const inQuery = Object.entries((query['properties'] ?? {}) as Record<string, Schema>).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
  return [...parametersIn(route.path).map(pathParameter), ...inQuery, ...headersOf(route)];
}

const mediaTypes = {
  json: 'application/json',
  page: 'text/html',
  redirect: 'text/html',
  scim: 'application/scim+json',
  bytes: 'application/octet-stream',
} as const;

const retryAfter = { description: 'Seconds', schema: { type: 'integer' } };

function responsesOf({ status = 200, summary, answer, response, produces = [mediaTypes[answer]], atMost }: Route) {
  const schema = response ? schemaOf(response) : { type: 'string' };
  const content = status === 204 ? {} : { content: Object.fromEntries(produces.map(type => [type, { schema }])) };
  const problem =
    answer === 'json' || answer === 'bytes'
      ? { content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } } }
      : { content: { [mediaTypes[answer]]: {} } };
  const done =
    answer === 'redirect' ? { 303: { description: summary } } : { [status]: { description: summary, ...content } };
  const tooMany = { description: `More than ${atMost}`, headers: { 'Retry-After': retryAfter }, ...problem };
  return { ...done, ...(atMost ? { 429: tooMany } : {}), default: { description: 'A problem', ...problem } };
}

/**
 * Any one of them suffices. Both scopes of a tenant are decided on further, by the person's roles and the area of the
 * action.
 */
function securityOf({ caller, resource }: Route) {
  if (caller === 'directory') return [{ directory: [] }];
  if (caller === 'browser') return [{ browser: [] }];
  if (caller === 'stranger') return [];
  // Decided by whose token it is: no scope opens to anybody else what is one's own.
  if (resource === 'own') return [{ reeve: [] }];
  const scopes = resource === 'platform' ? ['platform:admin'] : ['platform:admin', 'tenant:{tenantId}'];
  return scopes.map(scope => ({ reeve: [scope] }));
}

/**
 * `deactivateUser` of POST /v1/tenants/{tenantId}/users/{userId}:deactivate would be guessed; this is what can be made
 * of any path.
 */
const operationIdOf = ({ method, path }: Route) =>
  `${method}${path.replaceAll(/[^A-Za-z0-9]+(\w?)/g, (_, next: string) => next.toUpperCase())}`;

const areaOf = (action: Action | null) => (action === null ? {} : { 'x-reeve-area': actions[action].area });

export function openApiDocument({
  name,
  selfUrl,
  issuer,
  routes,
}: {
  name: string;
  selfUrl: string;
  issuer: string;
  routes: readonly Route[];
}) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of routes) {
    const { body, accepts = ['application/json'] } = route;
    const operations = (paths[route.path] ??= {});
    operations[route.method] = {
      operationId: operationIdOf(route),
      summary: route.summary,
      'x-reeve-caller': route.caller,
      'x-reeve-answer': route.answer,
      ...(route.action === null ? { 'x-reeve-open': route.open } : { 'x-reeve-action': route.action }),
      ...areaOf(route.action),
      security: securityOf(route),
      parameters: parametersOf(route),
      ...(body
        ? { requestBody: { content: Object.fromEntries(accepts.map(type => [type, { schema: schemaOf(body) }])) } }
        : {}),
      responses: responsesOf(route),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: `Reeve ${name}`,
      version: '1',
      description: 'Either of the listed security requirements suffices; the action is decided by policy.',
    },
    servers: [{ url: selfUrl }],
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema) },
      securitySchemes: {
        reeve: {
          type: 'oauth2',
          description: 'client_credentials with `resource` = the URL of this service',
          flows: {
            clientCredentials: {
              tokenUrl: `${issuer}/token`,
              scopes: { 'platform:admin': 'Every tenant, on the record', 'tenant:{tenantId}': 'One tenant' },
            },
          },
        },
        directory: { type: 'http', scheme: 'bearer', description: 'The token of the SCIM directory in the path' },
        browser: { type: 'apiKey', in: 'cookie', name: 'reeve_session', description: 'A person who is signed in' },
      },
    },
  };
}
