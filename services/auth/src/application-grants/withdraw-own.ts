import { type Cause, ProblemError, type TenantId } from '@reeve/contracts';
import { changeExisting } from '@reeve/service-kit';
import { type ApplicationGrants, type GrantId, withdraw } from './application-grant.ts';

type Asked = {
  tenantId: TenantId;
  userId: string;
  id: GrantId;
  at: Date;
  cause: Cause;
  expectedVersion?: number | undefined;
};

/** By the person who has allowed it. Throws `not_found` for somebody else's. */
export async function withdrawOwn(
  grants: ApplicationGrants,
  { tenantId, userId, id, at, ...options }: Asked,
): Promise<void> {
  await changeExisting(
    grants.in(tenantId),
    id,
    grant => {
      if (grant.userId !== userId) throw new ProblemError('not_found');
      return withdraw(id, grant, { because: 'ended_by_owner', at });
    },
    options,
  );
}
