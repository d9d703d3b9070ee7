// An API of the product, for which applications get access tokens: what can be asked for at it, what its tokens look
// like and say, and who may ask. The platform's, and known by its URL (RFC 8707). Reeve's own services are none of these.
import { event, type Id, idSchema } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';
import type { KnownApplication } from '../applications/known-application.ts';
import { assertPlainUrl } from '../plain-url.ts';
import { contradictionInPolicies, exchangePolicies, scopeText } from './exchange-policy.ts';

const scopeName = scopeText.refine(name => !isReserved(name), 'is a name that Reeve has a meaning for');

/** Scopes of OpenID Connect and of Reeve's own API. */
const reserved =
  /^(openid|offline_access|profile|email|address|phone|roles|groups|platform:.*|tenant:.*|internal:.*|revocations:.*)$/;
export const isReserved = (scope: string): boolean => reserved.test(scope);

const mostScopes = 200;
const mostApplications = 500;
const longestSeconds = { jwt: 300, opaque: 3_600 } as const;

export const resourceServerSettings = z.strictObject({
  name: z.string().trim().min(1).max(200),
  scopes: z
    .array(z.strictObject({ name: scopeName, description: z.string().trim().max(500).default('') }))
    .max(mostScopes)
    .refine(scopes => new Set(scopes.map(({ name }) => name)).size === scopes.length, 'has a name twice'),
  format: z.enum(['jwt', 'opaque']).describe('jwt: an RFC 9068 token; opaque: the API asks by introspection'),
  algorithm: z.enum(['ES256', 'RS256']).describe('Of the signatures of its JWTs'),
  tokenSeconds: z.number().int().min(30).max(longestSeconds.opaque).describe('300 at most where its tokens are JWTs'),
  claims: z
    .array(z.enum(['email', 'name', 'roles', 'groups']))
    .max(4)
    .describe('What its tokens say of a person besides `sub` and `tid`'),
  statusList: z
    .boolean()
    .describe('Its JWTs name their place in a token status list, by which it learns that a session is over'),
  applications: z
    .union([
      z.enum(['platform', 'all']),
      z
        .array(
          z.strictObject({
            clientId: idSchema('client'),
            scopes: z.union([z.literal('all'), z.array(scopeName).max(mostScopes)]).default('all'),
          }),
        )
        .max(mostApplications),
    ])
    .describe('Which may ask: the platform’s, those of tenants too, or those listed'),
  thirdPartyScopes: z
    .array(scopeName)
    .max(mostScopes)
    .describe(
      'What applications may ask people for that nobody registered, by their documents; nothing where it is empty',
    ),
  introspectedBy: z.array(idSchema('client')).max(20).describe('Applications that are the API, and may introspect'),
  exchangePolicies: exchangePolicies.describe('Who may exchange tokens for other APIs for one for this (RFC 8693)'),
  mayAct: idSchema('client')
    .nullable()
    .describe('The only one that may act by its tokens when they are exchanged; null for whoever a policy names'),
});
type Settings = z.infer<typeof resourceServerSettings>;

export const identifierSchema = z
  .url({ protocol: /^https?$/ })
  .max(500)
  .superRefine(assertPlainUrl)
  .refine(text => URL.parse(text)?.hostname.endsWith('.') !== true, 'must be written as others write it');

export type ResourceServer = Settings & { identifier: string; createdAt: string; deletedAt?: Date };
/** All of them are the platform's. */
export type ResourceServers = ReturnType<Collections<ResourceServer>['in']>;

/** One thing has one URL, however it is written. */
export const canonical = (identifier: string): string => URL.parse(identifier)?.href ?? identifier;

export const resourceServers = collection<ResourceServer>({
  name: 'resource_servers',
  version: 3,
  // Version 1 knew of no exchange, and no status lists; 2 of no applications that nobody registered.
  upgrade: state =>
    ({
      exchangePolicies: [],
      mayAct: null,
      statusList: false,
      thirdPartyScopes: [],
      ...(state as object),
    }) as unknown as ResourceServer,
  unique: { identifier: ({ identifier, deletedAt }) => (deletedAt ? null : canonical(identifier)) },
  queries: { inOrder: { equality: [] } },
  expiresAt: ({ deletedAt }) => deletedAt ?? null,
});

export const resourceServerView = z.object({
  id: z.string(),
  identifier: z.string(),
  createdAt: z.string(),
  ...resourceServerSettings.shape,
});

export function viewOf({ id, state }: Entry<ResourceServer>): z.infer<typeof resourceServerView> {
  const { deletedAt: _, ...rest } = state;
  return { id, ...rest };
}

/** Why these settings do not go together, by field; null when they do. `own` are the URLs of Reeve itself. */
export function contradictionIn(settings: Settings, own: readonly string[]) {
  const { format, tokenSeconds, scopes, applications, statusList, thirdPartyScopes } = settings;
  if (statusList && format === 'opaque')
    return { field: 'statusList', message: 'is for JWTs: of an opaque token the API asks by introspection' };
  if (tokenSeconds > longestSeconds[format])
    return { field: 'tokenSeconds', message: `a ${format} token lasts ${longestSeconds[format]} seconds at most` };
  const names = new Set(scopes.map(({ name }) => name));
  const listed = typeof applications === 'string' ? [] : applications;
  for (const [index, { scopes: asked }] of listed.entries())
    if (asked !== 'all' && asked.some(name => !names.has(name)))
      return { field: `applications.${index}.scopes`, message: 'has a scope that the API has not' };
  if (thirdPartyScopes.some(name => !names.has(name)))
    return { field: 'thirdPartyScopes', message: 'has a scope that the API has not' };
  return contradictionInPolicies(settings, own);
}

/** What the application may ask for at it; null where it may not ask at all. */
export function scopesFor(
  { applications, scopes, thirdPartyScopes }: ResourceServer,
  application: KnownApplication,
): string[] | null {
  if (application.document) return thirdPartyScopes.length > 0 ? thirdPartyScopes : null;
  const all = scopes.map(({ name }) => name);
  if (applications === 'all') return all;
  if (applications === 'platform') return application.tenantId === null ? all : null;
  const listed = applications.find(({ clientId }) => clientId === application.id);
  if (!listed) return null;
  return listed.scopes === 'all' ? all : listed.scopes;
}

const about = (id: Id<'resourceServer'>, { name, identifier, scopes }: ResourceServer) => ({
  id,
  name,
  details: { identifier, scopes: scopes.map(scope => scope.name) },
});

export function register(id: Id<'resourceServer'>, state: ResourceServer): NonNullable<Decision<ResourceServer>> {
  return { state, events: [event('resource_server.created', { ...about(id, state), because: 'requested' })] };
}

export function update(
  id: Id<'resourceServer'>,
  server: ResourceServer,
  change: Partial<Settings>,
): Decision<ResourceServer> {
  const state = { ...server, ...change };
  const changed = changedIn(server, change);
  if (changed.length === 0) return null;
  const { details, ...target } = about(id, state);
  const told = { ...target, because: 'requested' as const, details: { ...details, changed: [...changed] } };
  return { state, events: [event('resource_server.updated', told)] };
}

export function remove(id: Id<'resourceServer'>, server: ResourceServer, at: Date): Decision<ResourceServer> {
  return {
    state: { ...server, deletedAt: at },
    events: [event('resource_server.deleted', { ...about(id, server), because: 'requested' })],
  };
}
