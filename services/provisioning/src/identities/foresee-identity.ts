// What would become of an identity if it came now: asked by auth for whoever sets up a connection. Nothing is changed,
// and nobody is named.
import { type ForeseenIdentity, foreseenIdentity, resolveIdentityRequest } from '@reeve/contracts';
import { platformRoute } from '@reeve/service-kit';
import { identityId } from './identity.ts';
import { type PlanParts, plan } from './resolve-identity.ts';

const outcomes = {
  known: 'known',
  to_link: 'linked',
  to_create: 'created',
  unknown: 'identity_unknown',
  refused: 'identity_conflict',
} as const;

export const foreseeIdentity = (parts: PlanParts) =>
  platformRoute({
    method: 'post',
    path: '/internal/identities:foresee',
    summary: 'Say what would become of an external identity, without changing anything',
    action: 'identities:resolve',
    body: resolveIdentityRequest,
    response: foreseenIdentity,
    async handle({ body: request }): Promise<{ body: ForeseenIdentity }> {
      const planned = await plan(parts, { request, id: identityId(request) });
      const isDeactivated = 'user' in planned && planned.user.state.status === 'deactivated';
      const conflict = planned.is === 'refused' ? planned.conflict : null;
      return { body: { outcome: isDeactivated ? 'user_deactivated' : outcomes[planned.is], conflict } };
    },
  });
