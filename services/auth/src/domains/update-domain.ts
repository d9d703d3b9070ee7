import { changeExisting, readExisting, tenantRoute } from '@reeve/service-kit';
import type { Connections } from '../connections/connection.ts';
import { assertSettings } from './assert-settings.ts';
import { type Domains, domainsPath, domainView, settingsSchema, update, viewOf } from './domain.ts';
import type { DomainDirectory } from './domain-directory.ts';

type Parts = { domains: Domains; connections: Connections; directory: DomainDirectory };

export const updateDomain = ({ domains, connections, directory }: Parts) =>
  tenantRoute({
    method: 'patch',
    path: `${domainsPath}/{domainId}`,
    summary: 'Change by what people with an address of a domain sign in; what is left out stays',
    action: 'domains:write',
    versioned: true,
    body: settingsSchema.partial(),
    response: domainView,
    async handle({ tenantId, params: { domainId: id }, body, cause, expectedVersion }) {
      const own = domains.in(tenantId);
      const { state, version } = await readExisting(own, id, { expectedVersion });
      const { policy = state.policy, connectionId = state.connectionId, breakGlass = state.breakGlass } = body;
      const settings = { policy, connectionId, breakGlass };
      await assertSettings(connections.in(tenantId), { ...settings, name: state.name });
      const decide = (domain: typeof state) => update(id, domain, settings);
      // The settings have to fit one another, so they rest on those that were read.
      const entry = await changeExisting(own, id, decide, { cause, expectedVersion: version });
      directory.forget(state.name);
      return { body: viewOf(entry), version: entry.version };
    },
  });
