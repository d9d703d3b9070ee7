import type { Cause } from '@reeve/contracts';
import { causeOf } from '@reeve/service-kit';
import type { TenantEntry } from '@reeve/store';
import type { Request } from 'express';
import type { Connection } from '../connections/connection.ts';

/** What an identity provider does by itself, on the record as what it has done. */
export function providerCause(request: Request, { id, state }: TenantEntry<Connection>): Cause {
  const { context, correlationId } = causeOf(request, null);
  return {
    actor: { type: 'identity_provider', id, name: state.name, via: 'idp' },
    context: { ...context, connectionId: id },
    correlationId,
  };
}
