// Decides with Cedar. Pure: everything a decision rests on is in its arguments, and the determining policy comes back
// with it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type EntityJson, preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { TenantId } from '@reeve/contracts';
import { type Action, type Area, actions } from './actions.ts';

export type Principal = {
  type: 'user' | 'client' | 'service' | 'directory';
  id: string;
  /** The tenant that the credential is bound to; null for a platform client or a service. */
  tenantId: TenantId | null;
  scopes: readonly string[];
  roles: readonly string[];
  /** A client of the platform itself, whatever it has asked for. */
  platform: boolean;
};

export type Resource =
  | { type: 'platform' }
  | { type: 'tenant'; tenantId: TenantId }
  | { type: 'user' | 'workspace'; id: string; tenantId: TenantId };

/** What a decision may rest on besides who asks for what. */
export type AccessContext = {
  /** Of the sign-in, as OpenID Connect has them; null without one. */
  acr: string | null;
  signInAgeSeconds: number | null;
  /** Of the application that asks. */
  surface: string | null;
};

export type AccessRequest = { principal: Principal; action: Action; resource: Resource; context?: AccessContext };

export type AccessDecision = {
  allowed: boolean;
  /** The @id of the policy that decided, of several the one that is written first; null when nothing permitted it. */
  rule: string | null;
  /** What the rule rested on, in words: the scopes or roles of the principal. */
  basis: string;
};

/**
 * Whether a credential reaches everything that one of these areas does; null is the whole tenant. Whoever gives others
 * more than they have themselves would have it in the next moment.
 */
export function reaches(
  { platform, scopes }: Pick<Principal, 'platform' | 'scopes'>,
  areas: readonly Area[] | null,
): boolean {
  if (scopes.includes('tenant') || (platform && scopes.includes('platform:admin'))) return true;
  return areas?.every(area => scopes.includes(area)) ?? false;
}

const actionType = 'Action';
const cedarTypes = { user: 'User', client: 'Client', service: 'Service', directory: 'Directory' } as const;
const withoutSignIn: AccessContext = { acr: null, signInAgeSeconds: null, surface: null };

/** Of the groups only the names are needed, since they are in no others. */
const entityOfAction = (id: Action) => ({
  uid: { type: actionType, id },
  attrs: {},
  parents: actions[id].groups.map(group => ({ type: actionType, id: group })),
});

const tenantOf = (tenantId: TenantId | null) =>
  tenantId === null ? {} : { tenant: { __entity: { type: 'Tenant', id: tenantId } } };

function entityOf(resource: Resource): EntityJson & { uid: { type: string; id: string } } {
  const entity = (type: string, id: string, tenantId: TenantId | null) => ({
    uid: { type, id },
    attrs: tenantOf(tenantId),
    parents: [],
  });
  switch (resource.type) {
    case 'platform':
      return entity('Platform', 'reeve', null);
    case 'tenant':
      return entity('Tenant', resource.tenantId, resource.tenantId);
    case 'user':
      return entity('User', resource.id, resource.tenantId);
    case 'workspace':
      return entity('Workspace', resource.id, resource.tenantId);
  }
}

export type Access = ReturnType<typeof createAccess>;

const builtInRoles = () => readFileSync(new URL('../policies/built-in-roles.cedar', import.meta.url), 'utf8');

/**
 * By policies in Cedar's language, each of which begins with its @id. Throws when one does not parse: a service must
 * not start with half of its rules.
 */
export function createAccess(policies = builtInRoles()) {
  const staticPolicies: Record<string, string> = {};
  for (const policy of policies.split(/(?=@id\()/).filter(part => part.startsWith('@id('))) {
    const id = /^@id\("([^"]+)"\)/.exec(policy)?.[1];
    if (id === undefined) throw new Error('a policy has no @id');
    staticPolicies[id] = policy.slice(policy.indexOf('\n') + 1);
  }
  const written = Object.keys(staticPolicies);
  // Cedar keeps what it has parsed for the whole process, by this name.
  const policySet = createHash('sha256').update(policies).digest('hex');
  const parsed = preparsePolicySet(policySet, { staticPolicies });
  if (parsed.type === 'failure') throw new Error(`policies: ${parsed.errors.map(error => error.message).join('; ')}`);

  return {
    decide({ principal, action, resource, context = withoutSignIn }: AccessRequest): AccessDecision {
      const uid = { type: cedarTypes[principal.type], id: principal.id };
      const { platform, scopes, roles, tenantId } = principal;
      const asked = entityOfAction(action);
      const about = entityOf(resource);
      const own: EntityJson = {
        uid,
        attrs: { ...tenantOf(tenantId), platform, scopes: [...scopes], roles: [...roles] },
        parents: [],
      };
      // Somebody who acts on themselves is one entity.
      const others = about.uid.type === uid.type && about.uid.id === uid.id ? [] : [about];
      const answer = statefulIsAuthorized({
        principal: uid,
        action: asked.uid,
        resource: about.uid,
        context: {
          area: actions[action].area,
          acr: context.acr ?? '',
          surface: context.surface ?? '',
          ...(context.signInAgeSeconds === null ? {} : { signInAgeSeconds: Math.floor(context.signInAgeSeconds) }),
        },
        preparsedPolicySetId: policySet,
        entities: [own, ...others, asked],
      });
      const basis = `scopes: ${principal.scopes.join(' ') || 'none'}; roles: ${principal.roles.join(' ') || 'none'}`;
      // A policy that could not be evaluated must not be taken for one that did not apply.
      if (answer.type === 'failure' || answer.response.diagnostics.errors.length > 0)
        return { allowed: false, rule: null, basis };
      const { decision, diagnostics } = answer.response;
      // Cedar names them in no order.
      const rule = written.find(id => diagnostics.reason.includes(id)) ?? null;
      return { allowed: decision === 'allow', rule, basis };
    },
  };
}
