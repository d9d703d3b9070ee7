// Decides with Cedar. Pure: everything a decision rests on is in its arguments, and the determining policy comes back with it.
import { readFileSync } from 'node:fs';
import { type EntityJson, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { TenantId } from '@reeve/contracts';
import { type Action, actions } from './actions.ts';

export type Principal = {
  type: 'user' | 'client' | 'service';
  id: string;
  /** The tenant the token is bound to; null for a platform client or a service. */
  tenantId: TenantId | null;
  scopes: readonly string[];
  roles: readonly string[];
};

export type AccessRequest = { principal: Principal; action: Action; resource: { tenantId: TenantId } | 'platform' };

export type AccessDecision = {
  allowed: boolean;
  /** The @id of the policy that decided; null when nothing permitted it. */
  rule: string | null;
  /** What the rule rested on, in words: the scopes or roles of the principal. */
  basis: string;
};

const policySet = 'reeve';
const actionType = 'Action';
const cedarTypes = { user: 'User', client: 'Client', service: 'Service' } as const;

const actionEntities: EntityJson[] = Object.entries(actions).map(([id, groups]) => ({
  uid: { type: actionType, id },
  attrs: {},
  parents: groups.map(group => ({ type: actionType, id: group })),
}));

export type Access = ReturnType<typeof createAccess>;

/** Throws when a policy does not parse: a service must not start with half of its rules. */
export function createAccess() {
  const text = readFileSync(new URL('../policies/built-in-roles.cedar', import.meta.url), 'utf8');
  const staticPolicies: Record<string, string> = {};
  for (const policy of text.split(/(?=@id\()/).filter(part => part.startsWith('@id('))) {
    const id = /^@id\("([^"]+)"\)/.exec(policy)?.[1];
    if (id === undefined) throw new Error('a policy has no @id');
    staticPolicies[id] = policy.slice(policy.indexOf('\n') + 1);
  }
  const parsed = preparsePolicySet(policySet, { staticPolicies });
  if (parsed.type === 'failure') throw new Error(`policies: ${parsed.errors.map(error => error.message).join('; ')}`);

  return {
    decide({ principal, action, resource }: AccessRequest): AccessDecision {
      const uid = { type: cedarTypes[principal.type], id: principal.id };
      const tenant = principal.tenantId ? { tenant: { __entity: { type: 'Tenant', id: principal.tenantId } } } : {};
      const entity: EntityJson = {
        uid,
        attrs: { ...tenant, scopes: [...principal.scopes], roles: [...principal.roles] },
        parents: [],
      };
      const answer = statefulIsAuthorized({
        principal: uid,
        action: { type: actionType, id: action },
        resource:
          resource === 'platform' ? { type: 'Platform', id: 'reeve' } : { type: 'Tenant', id: resource.tenantId },
        context: {},
        preparsedPolicySetId: policySet,
        entities: [entity, ...actionEntities],
      });
      const basis = `scopes: ${principal.scopes.join(' ') || 'none'}; roles: ${principal.roles.join(' ') || 'none'}`;
      // A policy that could not be evaluated must not be taken for one that did not apply.
      if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0)
        return { allowed: false, rule: null, basis };
      const { decision, diagnostics } = answer.response;
      return { allowed: decision === 'allow', rule: diagnostics.reason[0] ?? null, basis };
    },
  };
}
