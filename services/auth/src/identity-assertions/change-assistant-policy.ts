import { invalidField, newId, type TenantId } from '@reeve/contracts';
import {
  changeExisting,
  createOnce,
  paged,
  pageOf,
  pageQuery,
  type Route,
  readExisting,
  tenantRoute,
} from '@reeve/service-kit';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { assertAsksByItself } from '../applications/assert-asks-by-itself.ts';
import { assertRoom } from '../assert-room.ts';
import type { Connections } from '../connections/connection.ts';
import { apiFor } from '../resource-servers/api-for.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import {
  type AssistantPolicy,
  assistantPolicyChange,
  assistantPolicySettings,
  assistantPolicyView,
  create,
  remove,
  update,
  viewOf,
} from './assistant-policy.ts';
import { mostOfATenant } from './assistant-policy-directory.ts';
import type { EndParts } from './end-tokens.ts';

type Parts = EndParts & {
  connections: Connections;
  applications: ApplicationDirectory;
  resourceServers: ResourceServerDirectory;
};

const path = '/v1/tenants/{tenantId}/assistant-policies';
const one = `${path}/{assistantPolicyId}` as const;
const { shape } = assistantPolicySettings;
const body = assistantPolicySettings.extend({
  requireDpop: shape.requireDpop.default(false),
  acrValues: shape.acrValues.default([]),
  maxAgeSeconds: shape.maxAgeSeconds.default(null),
});

type About = Pick<AssistantPolicy, 'clientId' | 'resource' | 'scopes'>;

export function assistantPolicyRoutes(parts: Parts): Route[] {
  const { policies, directory, connections, applications, resourceServers, clock } = parts;

  /** Throws `input_invalid` for an assistant that could not redeem anything, and for what it could not get. */
  async function assertPossible(tenantId: TenantId, { clientId, resource, scopes }: About): Promise<void> {
    const application = await assertAsksByItself(applications, tenantId, { clientId, by: 'jwt_bearer' });
    const found = await apiFor(resourceServers, application, { resource, scopes });
    if ('wrong' in found) throw invalidField(found.wrong.field, found.wrong.message);
  }

  return [
    tenantRoute({
      method: 'post',
      path,
      summary: 'Let an assistant act for people at an API, by the word of their identity provider and without a page',
      action: 'connections:write',
      body,
      status: 201,
      response: assistantPolicyView,
      async handle({ tenantId, body: settings, cause, freshId }) {
        if (!(await connections.in(tenantId).get(settings.connectionId)))
          throw invalidField('connectionId', 'is no connection of this tenant');
        await assertPossible(tenantId, settings);
        const own = policies.in(tenantId);
        await assertRoom(own, mostOfATenant, 'assistant_policy_limit');
        const id = freshId('assistantPolicy');
        const made = { ...settings, grantName: newId('grant'), createdAt: clock.now().toISOString() };
        const taken = { subject: 'assistant_policy_exists' } as const;
        const { entry } = await createOnce(own, id, create(id, made), { cause, taken });
        directory.forget(tenantId);
        return { body: viewOf(entry), version: entry.version };
      },
    }),
    tenantRoute({
      method: 'get',
      path,
      summary: 'List which assistants may act for people, by the word of whom, where and in what',
      action: 'connections:read',
      query: pageQuery,
      response: pageOf(assistantPolicyView),
      handle: async ({ tenantId, query }) => paged(await policies.in(tenantId).list('inOrder', {}, query), viewOf),
    }),
    tenantRoute({
      method: 'get',
      path: one,
      summary: 'Read what an assistant may',
      action: 'connections:read',
      response: assistantPolicyView,
      async handle({ tenantId, params: { assistantPolicyId } }) {
        const entry = await readExisting(policies.in(tenantId), assistantPolicyId);
        return { body: viewOf(entry), version: entry.version };
      },
    }),
    tenantRoute({
      method: 'patch',
      path: one,
      summary: 'Change what an assistant may; what it holds by the policy as it was is void',
      action: 'connections:write',
      versioned: true,
      body: assistantPolicyChange,
      response: assistantPolicyView,
      async handle({ tenantId, params: { assistantPolicyId: id }, body: given, cause, expectedVersion }) {
        const change = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const own = policies.in(tenantId);
        if (given.scopes) await assertPossible(tenantId, { ...(await readExisting(own, id)).state, ...change });
        const at = { grantName: newId('grant'), at: clock.now() };
        const decide = (policy: AssistantPolicy) => update(id, policy, { ...at, change });
        const entry = await changeExisting(own, id, decide, { cause, expectedVersion });
        directory.forget(tenantId);
        return { body: viewOf(entry), version: entry.version };
      },
    }),
    tenantRoute({
      method: 'delete',
      path: one,
      summary: 'An assistant acts for nobody by it any more, and what it holds is void',
      action: 'connections:write',
      versioned: true,
      status: 204,
      async handle({ tenantId, params: { assistantPolicyId: id }, cause, expectedVersion }) {
        const decide = (policy: AssistantPolicy) => remove(id, policy, clock.now());
        await changeExisting(policies.in(tenantId), id, decide, { cause, expectedVersion });
        directory.forget(tenantId);
        return { body: undefined };
      },
    }),
  ];
}
