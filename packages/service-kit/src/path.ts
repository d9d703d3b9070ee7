// Paths as OpenAPI writes them, `/v1/tenants/{tenantId}/users/{userId}:deactivate`, and what their parameters are.
import { type Id, type IdKind, isId } from '@reeve/contracts';

/** Parameters that hold an id of ours. Of any other form there is nothing behind them. */
const idParameters = {
  userId: 'user',
  sessionId: 'session',
  connectionId: 'connection',
  domainId: 'domain',
  setupLinkId: 'setupLink',
  clientId: 'client',
  resourceServerId: 'resourceServer',
  grantId: 'grant',
  botId: 'bot',
  factorId: 'factor',
  groupId: 'group',
  directoryId: 'directory',
  installationId: 'installation',
  consentId: 'consent',
  consentRequestId: 'request',
  endpointId: 'endpoint',
  deliveryId: 'delivery',
  sinkId: 'sink',
  viewId: 'view',
  viewerId: 'viewer',
  holdId: 'hold',
  deletionId: 'deletion',
  alertId: 'alert',
  packageId: 'evidence',
} as const satisfies Record<string, IdKind>;

type IdParameter = keyof typeof idParameters;

type NameIn<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | NameIn<Rest> : never;

/** The tenant is not among them: the handler gets the one that the caller may reach. */
export type PathParameters<P extends string> = {
  [Name in Exclude<NameIn<P>, 'tenantId'>]: Name extends IdParameter ? Id<(typeof idParameters)[Name]> : string;
};

export const parametersIn = (path: string): string[] =>
  [...path.matchAll(/\{(\w+)\}/g)].flatMap(([, name]) => name ?? []);

/** As path-to-regexp writes it. */
export function expressPath(path: string): string {
  return path.replaceAll(':', '\\:').replaceAll(/\{(\w+)\}/g, ':$1');
}

/**
 * Of two paths that a request fits, the one that says more comes first: `{userId}` also takes in what `{userId}:verb`
 * is meant for.
 */
export function mostSpecificFirst(paths: Iterable<string>): string[] {
  const rankOf = (segment: string) => (/^\{\w+\}$/.test(segment) ? 2 : segment.includes('{') ? 1 : 0);
  const order = (path: string) => path.split('/').map(rankOf).join('');
  return [...paths].toSorted((a, b) => Number(order(a) > order(b)) - Number(order(a) < order(b)));
}

export const readParameters = (path: string, given: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(parametersIn(path).map(name => [name, (given[name] ?? '') as string]));

/** Whether each parameter that should be an id is one. */
export const areOfTheirForm = (params: Readonly<Record<string, string>>): boolean =>
  Object.entries(params).every(([name, value]) => {
    const kind = idKindOf(name);
    return kind === null || isId(kind, value);
  });

/** The id kind of a parameter, for the OpenAPI document. */
export const idKindOf = (name: string): IdKind | null =>
  (idParameters as Partial<Record<string, IdKind>>)[name] ?? null;
