import type { AuditRecord, FormatName, KeySet } from '@reeve/audit-log';
import type { Api } from '@reeve/local/api';
import type { Tenant } from '@reeve/local/seed';
import type { Credentials } from '@reeve/local/system';
import { eventually } from '@reeve/testing/eventually';

export type AuditEvent = AuditRecord & { hash: string; keyId: string };

/** The signed manifest and every record of the tenant, in the order of the export: chain by chain. */
export async function exportLines(
  api: Api,
  credentials: Credentials,
  tenant: Tenant,
  format: FormatName = 'ndjson',
): Promise<string[]> {
  const response = await api.send(
    'GET',
    `${credentials.urls.audit}/v1/tenants/${tenant.id}/audit/export?format=${format}`,
  );
  if (!response.ok) throw new Error(`the export was refused: ${response.status} ${await response.text()}`);
  return (await response.text()).split('\n').filter(line => line !== '');
}

/** What is not a signed statement. */
export const recordsIn = (lines: readonly string[]): AuditEvent[] =>
  lines.map(line => JSON.parse(line) as AuditEvent).filter(({ eventId }) => eventId !== undefined);

/** What a verifier needs of Reeve. */
export async function auditKeys(credentials: Credentials): Promise<KeySet> {
  const response = await fetch(`${credentials.urls.audit}/.well-known/reeve-audit-keys`);
  return (await response.json()) as KeySet;
}

export async function readLog(api: Api, credentials: Credentials, tenant: Tenant): Promise<AuditEvent[]> {
  return recordsIn(await exportLines(api, credentials, tenant));
}

/** Waits until the tenant's log holds what is looked for, and returns the whole log. */
export function logWith(
  where: { api: Api; credentials: Credentials; tenant: Tenant },
  holds: (log: AuditEvent[]) => boolean,
  what: string,
): Promise<AuditEvent[]> {
  return eventually(`an audit log with ${what}`, async () => {
    const log = await readLog(where.api, where.credentials, where.tenant);
    return holds(log) ? log : null;
  });
}

export async function* asLines(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}
