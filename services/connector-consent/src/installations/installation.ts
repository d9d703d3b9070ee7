// A connector in a tenant, and how far it has come. Owns which scopes were asked for and the page where a person is
// asked; not whose consent it has (consents/) nor the tokens (delegated-tokens/).
import { event, type Id, ProblemError, type ReasonOf } from '@reeve/contracts';
import { type Collections, collection, type Decision, type Entry } from '@reeve/store';
import { z } from 'zod';

export type Installation = {
  connectorId: string;
  connectorName: string;
  scopes: string[];
  status: 'requested' | 'approved' | 'installed' | 'uninstalled';
  /** Names the consent page; set by the approval. */
  consentRequestId: Id<'request'> | null;
  consentUntil: string | null;
  createdAt: string;
};

export type Installations = Collections<Installation>;

const consentRequestLifetimeMs = 7 * 86_400_000;

export const installationView = z.object({
  id: z.string(),
  connectorId: z.string(),
  connectorName: z.string(),
  scopes: z.array(z.string()),
  status: z.enum(['requested', 'approved', 'installed', 'uninstalled']),
  consentUrl: z.string().nullable(),
  consentUntil: z.string().nullable(),
  createdAt: z.string(),
});

export const installations = collection<Installation>({
  name: 'installations',
  globallyUnique: { consentRequest: installation => installation.consentRequestId },
  queries: { inOrder: { equality: [] } },
});

export function viewOf({ id, state }: Entry<Installation>, selfUrl: string): z.infer<typeof installationView> {
  const { consentRequestId, ...rest } = state;
  const open = state.status === 'approved' && consentRequestId !== null;
  return { id, ...rest, consentUrl: open ? `${selfUrl}/consent/${consentRequestId}` : null };
}

type InstallationId = Id<'installation'>;
type Change =
  | 'installation.requested'
  | 'installation.approved'
  | 'installation.installed'
  | 'installation.uninstalled';

function changed<T extends Change>(type: T, id: InstallationId, state: Installation, because: ReasonOf<T>) {
  const { connectorId, connectorName, scopes } = state;
  const details = { connectorId, connectorName, scopes };
  return { state, events: [event<Change>(type, { id, name: connectorName, because, details })] };
}

function expect({ status }: Installation, ...allowed: Installation['status'][]): void {
  if (allowed.includes(status)) return;
  throw new ProblemError('installation_state', `the installation is ${status}; this needs ${allowed.join(' or ')}`);
}

export function request(
  id: InstallationId,
  asked: Pick<Installation, 'connectorId' | 'connectorName' | 'scopes' | 'createdAt'>,
): NonNullable<Decision<Installation>> {
  const state: Installation = { ...asked, status: 'requested', consentRequestId: null, consentUntil: null };
  return changed('installation.requested', id, state, 'requested');
}

export function approve(
  id: InstallationId,
  installation: Installation,
  { requestId, now }: { requestId: Id<'request'>; now: Date },
): Decision<Installation> {
  if (installation.status === 'approved') return null;
  expect(installation, 'requested');
  const consentUntil = new Date(now.getTime() + consentRequestLifetimeMs).toISOString();
  const state: Installation = { ...installation, status: 'approved', consentRequestId: requestId, consentUntil };
  return changed('installation.approved', id, state, 'requested');
}

export function install(id: InstallationId, installation: Installation): Decision<Installation> {
  if (installation.status === 'installed') return null;
  expect(installation, 'approved');
  return changed('installation.installed', id, { ...installation, status: 'installed' }, 'consented_and_connected');
}

export function uninstall(id: InstallationId, installation: Installation): Decision<Installation> {
  if (installation.status === 'uninstalled') return null;
  return changed('installation.uninstalled', id, { ...installation, status: 'uninstalled' }, 'requested');
}
