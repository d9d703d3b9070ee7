import { type ProblemCode, ProblemError } from '@reeve/contracts';
import type { TenantCollection } from '@reeve/store';

/** Throws `code` where a tenant has so many already. Of two requests at once both may find room for the last one. */
export async function assertRoom<S>(own: TenantCollection<S>, most: number, code: ProblemCode): Promise<void> {
  const { items } = await own.list('inOrder', {}, { limit: most });
  if (items.length >= most) throw new ProblemError(code);
}
