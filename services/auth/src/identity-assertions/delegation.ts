// Which session of a person an assistant acts in: one for each policy.
import { createHash } from 'node:crypto';

const separator = ' ';

export function delegationKey(policyId: string, subject: string): string {
  const person = createHash('sha256').update(subject).digest('base64url');
  return [policyId, person].join(separator);
}

export const policyIn = (key: string): string | undefined => key.split(separator)[0];
