import { type Area, type Principal, reaches } from '@reeve/access';
import { ProblemError } from '@reeve/contracts';

/** Before somebody is given a right, or what leads to it: nobody gives more than they have. Throws `access_denied`. */
export function assertReaches(caller: Principal, areas: readonly Area[] | null): void {
  if (reaches(caller, areas)) return;
  const missing = areas?.filter(area => !reaches(caller, [area])).join(', ') ?? 'everything in the tenant';
  throw new ProblemError('access_denied', `your token does not reach ${missing}, so it gives that to nobody`);
}
