import { type Cause, ProblemError, type TenantId } from '@reeve/contracts';
import { changeExisting, type Route, readExisting, tenantRoute } from '@reeve/service-kit';
import type { GuardedNetwork } from '@reeve/service-kit/outbound';
import { type Clock, DuplicateKeyError } from '@reeve/store';
import type { Connections } from '../connections/connection.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import {
  type AssertionIssuer,
  type AssertionIssuers,
  accepted,
  assertionIssuerSchema,
  assertionIssuerView,
  remove,
  set,
  viewOf,
} from './assertion-issuer.ts';
import { type EndParts, endTokensBy } from './end-tokens.ts';

type Parts = EndParts & {
  issuers: AssertionIssuers;
  connections: Connections;
  kinds: Kinds;
  network: Pick<GuardedNetwork, 'assertUrl'>;
  ownIssuer: string;
  clock: Clock;
};

type Of = { tenantId: TenantId; connectionId: string; cause: Cause };

const path = '/v1/tenants/{tenantId}/sso-connections/{connectionId}/identity-assertions';

export function assertionIssuerRoutes(parts: Parts): Route[] {
  const { issuers, connections, kinds, network, ownIssuer, clock } = parts;

  /** What rested on what was said before is over. */
  const endTokens = (tenantId: TenantId, connectionId: string, cause: Cause) =>
    endTokensBy(parts, { tenantId, connectionId, cause });

  async function save({ tenantId, connectionId, cause }: Of, state: AssertionIssuer, expectedVersion?: number) {
    const own = issuers.in(tenantId);
    try {
      const decide = (now: AssertionIssuer | null) => set(connectionId, now, state);
      const entry = await own.change(connectionId, decide, { cause, expectedVersion });
      if (entry) return entry;
    } catch (error) {
      if (!(error instanceof DuplicateKeyError)) throw error;
      throw new ProblemError('assertion_issuer_taken', undefined, { cause: error });
    }
    throw new ProblemError('conflict');
  }

  /** A connection that is deleted holds its issuer until that has been heard of. */
  async function freeFromDeleted({ tenantId, cause }: Of, { knownAs }: AssertionIssuer): Promise<void> {
    const holder = await issuers.in(tenantId).getByUnique('knownAs', knownAs);
    if (!holder || (await connections.in(tenantId).get(holder.id))) return;
    const decide = (issuer: AssertionIssuer | null) => issuer && remove(holder.id, issuer, clock.now());
    await issuers.in(tenantId).change(holder.id, decide, { cause });
  }

  return [
    tenantRoute({
      method: 'get',
      path,
      summary: 'Read whether and how the identity provider of a connection may vouch for people towards assistants',
      action: 'connections:read',
      response: assertionIssuerView,
      async handle({ tenantId, params: { connectionId } }) {
        const { state, version } = await readExisting(issuers.in(tenantId), connectionId);
        return { body: viewOf(state), version };
      },
    }),
    tenantRoute({
      method: 'put',
      path,
      summary: 'Say that the identity provider of a connection may vouch for people towards assistants (ID-JAG)',
      action: 'connections:write',
      versioned: true,
      body: assertionIssuerSchema,
      response: assertionIssuerView,
      async handle({ tenantId, params: { connectionId }, body, cause, expectedVersion }) {
        const connection = await readExisting(connections.in(tenantId), connectionId);
        const { signals }: ConnectionKind = kinds[connection.state.kind];
        const publishes = signals.keys(connection.state.settings);
        const state = accepted({ settings: body, connection: connection.state, publishes, ownIssuer });
        if (state.jwksUri !== null) network.assertUrl(state.jwksUri);
        await freeFromDeleted({ tenantId, connectionId, cause }, state);
        const before = await issuers.in(tenantId).get(connectionId);
        const entry = await save({ tenantId, connectionId, cause }, state, expectedVersion);
        if (before && before.version !== entry.version) await endTokens(tenantId, connectionId, cause);
        return { body: viewOf(entry.state), version: entry.version };
      },
    }),
    tenantRoute({
      method: 'delete',
      path,
      summary: 'The identity provider of a connection vouches for nobody any more; what it did is void',
      action: 'connections:write',
      versioned: true,
      status: 204,
      async handle({ tenantId, params: { connectionId }, cause, expectedVersion }) {
        const decide = (state: Parameters<typeof remove>[1]) => remove(connectionId, state, clock.now());
        await changeExisting(issuers.in(tenantId), connectionId, decide, { cause, expectedVersion });
        await endTokens(tenantId, connectionId, cause);
        return { body: undefined };
      },
    }),
  ];
}
