// What a sink shows to its receiver. It lies in the vault, and is shown to nobody else but once, where we made it.
import { type Cause, invalidField, type SecretPurpose, type TenantId } from '@reeve/contracts';
import type { Vault } from '@reeve/vault';
import { z } from 'zod';
import { kindOf, type Target, whatCredentialsAre } from './kinds/registry.ts';

export const credential = z.string().min(1).max(2_000).describe(`${whatCredentialsAre}. Never shown again`);

export const credentialRef = (sinkId: string) => ({ secretClass: 'sink', id: sinkId });

export const takesCredential = (to: Target): boolean => kindOf(to).credential(to).is !== 'none';

/** What is kept of a credential, and what is shown of it. */
export function credentialFor(to: Target, given: string | undefined): { kept: string | null; made: string | null } {
  const rule = kindOf(to).credential(to);
  if (rule.is === 'none') {
    if (given !== undefined) throw invalidField('credential', 'this target takes none');
    return { kept: null, made: null };
  }
  if (given === undefined) {
    if (rule.is === 'given') throw invalidField('credential', 'is required for this target');
    const made = rule.make();
    return { kept: made, made };
  }
  const wanted = rule.check?.(given) ?? null;
  if (wanted !== null) throw invalidField('credential', `must be ${wanted}`);
  return { kept: given, made: null };
}

/** Null where the target takes none. */
export async function readCredential(
  vault: Vault,
  { tenantId, sinkId, target }: { tenantId: TenantId; sinkId: string; target: Target },
  access: { cause: Cause; purpose: SecretPurpose },
): Promise<string | null> {
  if (!takesCredential(target)) return null;
  return (await vault.read(tenantId, credentialRef(sinkId), access)).toString('utf8');
}
