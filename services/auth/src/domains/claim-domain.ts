import { invalidField } from '@reeve/contracts';
import { createOnce, tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import { assertRoom } from '../assert-room.ts';
import type { Connections } from '../connections/connection.ts';
import { assertSettings } from './assert-settings.ts';
import { claim, type Domains, domainsPath, domainView, settingsSchema, viewOf } from './domain.ts';
import { domainName } from './domain-name.ts';
import { newToken } from './proof.ts';

type Parts = { domains: Domains; connections: Connections; clock: Clock };

const mostOfATenant = 500;

const { shape } = settingsSchema;

export const claimDomain = ({ domains, connections, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path: domainsPath,
    summary: 'Claim a domain: put the `record` of the answer into its DNS, then verify it within seven days',
    action: 'domains:write',
    body: z.strictObject({
      name: z.string().max(1_000).describe('A domain, in whatever script'),
      policy: shape.policy.default('offered'),
      connectionId: shape.connectionId.default(null),
      breakGlass: shape.breakGlass.default([]),
    }),
    status: 201,
    response: domainView,
    async handle({ tenantId, body, cause, freshId }) {
      const { name: given, ...settings } = body;
      const named = domainName(given);
      if ('refused' in named) throw invalidField('name', named.refused);
      await assertSettings(connections.in(tenantId), { ...settings, name: named.name });
      await assertRoom(domains.in(tenantId), mostOfATenant, 'domain_limit');
      const id = freshId('domain');
      const claimed = claim(id, { ...settings, name: named.name, token: newToken() }, clock.now());
      const options = { cause, taken: { name: 'domain_claimed' } } as const;
      const { entry } = await createOnce(domains.in(tenantId), id, claimed, options);
      return { body: viewOf(entry), version: entry.version };
    },
  });
