import { invalidField } from '@reeve/contracts';
import type { TenantCollection } from '@reeve/store';
import type { Connection } from '../connections/connection.ts';
import { type DomainSettings, isContradictory } from './domain.ts';
import { domainOf } from './domain-name.ts';

/** Throws `input_invalid` for what a domain can not be set to. */
export async function assertSettings(
  connections: TenantCollection<Connection>,
  { name, policy, connectionId, breakGlass }: DomainSettings & { name: string },
): Promise<void> {
  if (isContradictory({ policy, connectionId })) throw invalidField('policy', 'enforced needs a connectionId');
  if (connectionId !== null && !(await connections.get(connectionId)))
    throw invalidField('connectionId', 'is not an SSO connection of this tenant');
  const foreign = breakGlass.find(address => domainOf(address) !== name);
  if (foreign !== undefined) throw invalidField('breakGlass', `${foreign} is no address of ${name}`);
}
