import { invalidField } from '@reeve/contracts';
import { changeExisting, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import type { Vault } from '@reeve/vault';
import type { z } from 'zod';
import {
  assertMaySpeakFor,
  type CommonSettings,
  type Connection,
  type Connections,
  commonSettings,
  connectionView,
  update,
  type ViewParts,
  viewOf,
} from './connection.ts';
import type { ConnectionDirectory } from './connection-directory.ts';
import { connectionSecretClass } from './kinds/kind.ts';
import type { KindName, Kinds } from './kinds/registry.ts';

type Parts = ViewParts & { connections: Connections; directory: ConnectionDirectory; vault: Vault; clock: Clock };
type Body = Partial<CommonSettings> & Partial<Record<KindName, unknown>>;

/** Each setting may be left out; those of the kind stand under its name. */
const bodyOf = (kinds: Kinds): z.ZodType<Body> =>
  commonSettings
    .partial()
    .extend(Object.fromEntries(Object.entries(kinds).map(([name, { change }]) => [name, change.optional()])));

export const updateConnection = ({ connections, directory, vault, clock, ...parts }: Parts) =>
  tenantRoute({
    method: 'patch',
    path: '/v1/tenants/{tenantId}/sso-connections/{connectionId}',
    summary: 'Change an SSO connection; what is left out stays. A new issuer is discovered again',
    action: 'connections:write',
    versioned: true,
    body: bodyOf(parts.kinds),
    response: connectionView(parts.kinds),
    async handle({ tenantId, caller, params: { connectionId: id }, body, cause, expectedVersion }) {
      const { state, version } = await readExisting(connections.in(tenantId), id);
      const given = Object.entries(body).filter(([, value]) => value !== undefined);
      const ofKind = given.filter(([name]) => name in parts.kinds);
      const foreign = ofKind.find(([name]) => name !== state.kind);
      if (foreign) throw invalidField(foreign[0], `is not a setting of a connection of kind ${state.kind}`);
      const domains = body.domains ?? state.domains;
      await assertMaySpeakFor(connections, { caller, tenantId, connectionId: id, domains, before: state.domains });
      const prepared =
        ofKind.length > 0 ? await parts.kinds[state.kind].prepare(body[state.kind], state.settings) : null;
      const secret = prepared?.secret ?? null;
      const change: Partial<Connection> = {
        ...Object.fromEntries(given.filter(([name]) => !(name in parts.kinds))),
        ...(prepared ? { settings: prepared.settings, issuer: prepared.issuer } : {}),
        ...(secret === null ? {} : { secretSetAt: clock.now().toISOString() }),
      };
      const entry = await changeExisting(connections.in(tenantId), id, connection => update(id, connection, change), {
        cause,
        // Settings rest on those that were read: whoever changed them meanwhile is not overwritten.
        expectedVersion: expectedVersion ?? (prepared ? version : undefined),
        // Only where the connection may be changed, and before it is: who signs in by the new settings has the new
        // secret.
        async gather() {
          if (secret !== null) await vault.put(tenantId, { secretClass: connectionSecretClass, id }, secret, cause);
        },
      });
      directory.forget(tenantId);
      return { body: viewOf(entry, parts), version: entry.version };
    },
  });
