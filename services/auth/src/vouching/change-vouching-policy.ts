import { invalidField, type TenantId } from '@reeve/contracts';
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
import type { Clock } from '@reeve/store';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import { assertAsksByItself } from '../applications/assert-asks-by-itself.ts';
import { assertRoom } from '../assert-room.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import {
  create,
  mostOfATenant,
  remove,
  update,
  type VouchingPolicies,
  type VouchingPolicy,
  viewOf,
  vouchingPolicyChange,
  vouchingPolicySettings,
  vouchingPolicyView,
} from './vouching-policy.ts';

type Parts = {
  policies: VouchingPolicies;
  applications: ApplicationDirectory;
  resourceServers: Pick<ResourceServerDirectory, 'isOwn'>;
  clock: Clock;
};

const path = '/v1/tenants/{tenantId}/vouching-policies';
const one = `${path}/{vouchingPolicyId}` as const;
const { shape } = vouchingPolicySettings;
const body = vouchingPolicySettings.extend({
  resources: shape.resources.default([]),
  groups: shape.groups.default([]),
  acrValues: shape.acrValues.default([]),
  maxAgeSeconds: shape.maxAgeSeconds.default(null),
});

export function vouchingPolicyRoutes({ policies, applications, resourceServers, clock }: Parts): Route[] {
  /** Throws `input_invalid` for an application that could not ask, and for an audience that is Reeve. */
  async function assertPossible(
    tenantId: TenantId,
    { clientId, audience }: Pick<VouchingPolicy, 'clientId' | 'audience'>,
  ) {
    const { kind } = await assertAsksByItself(applications, tenantId, { clientId, by: 'token_exchange' });
    if (kind === 'machine') throw invalidField('clientId', 'signs nobody in, and so has nobody’s token');
    // Nobody vouches towards themselves: an API of ours is asked for by the exchange of tokens.
    if (await resourceServers.isOwn(audience))
      throw invalidField('audience', 'is Reeve itself or an API here, whose tokens are ours');
  }

  return [
    tenantRoute({
      method: 'post',
      path,
      summary: 'Have Reeve vouch for people towards the authorization server of somebody else, for an application',
      action: 'connections:write',
      body,
      status: 201,
      response: vouchingPolicyView,
      async handle({ tenantId, body: settings, cause, freshId }) {
        await assertPossible(tenantId, settings);
        const own = policies.in(tenantId);
        await assertRoom(own, mostOfATenant, 'vouching_policy_limit');
        const id = freshId('vouchingPolicy');
        const made = create(id, { ...settings, createdAt: clock.now().toISOString() });
        const { entry } = await createOnce(own, id, made, { cause, taken: { subject: 'vouching_policy_exists' } });
        return { body: viewOf(entry), version: entry.version };
      },
    }),
    tenantRoute({
      method: 'get',
      path,
      summary: 'List for which applications Reeve vouches for people elsewhere, where and in what',
      action: 'connections:read',
      query: pageQuery,
      response: pageOf(vouchingPolicyView),
      handle: async ({ tenantId, query }) => paged(await policies.in(tenantId).list('inOrder', {}, query), viewOf),
    }),
    tenantRoute({
      method: 'get',
      path: one,
      summary: 'Read what Reeve vouches for towards an authorization server',
      action: 'connections:read',
      response: vouchingPolicyView,
      async handle({ tenantId, params: { vouchingPolicyId } }) {
        const entry = await readExisting(policies.in(tenantId), vouchingPolicyId);
        return { body: viewOf(entry), version: entry.version };
      },
    }),
    tenantRoute({
      method: 'patch',
      path: one,
      summary: 'Change what Reeve vouches for towards an authorization server, from now on',
      action: 'connections:write',
      versioned: true,
      body: vouchingPolicyChange,
      response: vouchingPolicyView,
      async handle({ tenantId, params: { vouchingPolicyId: id }, body: given, cause, expectedVersion }) {
        const change = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
        const decide = (policy: VouchingPolicy) => update(id, policy, change);
        const entry = await changeExisting(policies.in(tenantId), id, decide, { cause, expectedVersion });
        return { body: viewOf(entry), version: entry.version };
      },
    }),
    tenantRoute({
      method: 'delete',
      path: one,
      summary: 'Reeve vouches for nobody by it any more',
      action: 'connections:write',
      versioned: true,
      status: 204,
      async handle({ tenantId, params: { vouchingPolicyId: id }, cause, expectedVersion }) {
        const decide = (policy: VouchingPolicy) => remove(id, policy, clock.now());
        await changeExisting(policies.in(tenantId), id, decide, { cause, expectedVersion });
        return { body: undefined };
      },
    }),
  ];
}
