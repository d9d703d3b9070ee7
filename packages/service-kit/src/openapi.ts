// The OpenAPI 3.1 document, from the declarations that also validate the requests.
import { problemSchema } from '@reeve/contracts';
import { z } from 'zod';
import type { Route } from './route.ts';

const schemaOf = (schema: z.ZodType) => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return rest;
};

function parametersOf(route: Route): unknown[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const query = route.query ? schemaOf(route.query) : { properties: {}, required: [] };
  const required = (query.required ?? []) as string[];
  const inQuery = Object.entries(query.properties ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
  const headers =
    route.method === 'post'
      ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 200 } }]
      : [];
  return [...inPath, ...inQuery, ...headers];
}

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
    const scopes = route.scope === 'tenant' ? ['platform:admin', 'tenant:{tenantId}'] : ['platform:admin'];
    const operations = (paths[route.path] ??= {});
    operations[route.method] = {
      operationId: `${route.method} ${route.path}`,
      summary: route.summary,
      'x-reeve-action': route.action,
      security: scopes.map(scope => ({ reeve: [scope] })),
      parameters: parametersOf(route),
      ...(route.body ? { requestBody: { content: { 'application/json': { schema: schemaOf(route.body) } } } } : {}),
      responses: {
        [route.status ?? 200]: {
          description: route.summary,
          content: { 'application/json': { schema: schemaOf(route.response) } },
        },
        default: {
          description: 'A problem',
          content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        },
      },
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
      },
    },
  };
}
