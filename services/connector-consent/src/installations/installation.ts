// A connector in a tenant, from the request to the end of its life. Owns which scopes were asked for and how far it has come; not whose
// consent it has (consents/) nor the tokens (delegated-tokens/).
import { because, type EventDraft, type Id, ProblemError } from '@reeve/contracts';
import type { Collections, Decision, Entry, Store } from '@reeve/store';
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

export function defineInstallations(store: Store): Installations {
  return store.collections<Installation>({
    name: 'installations',
    globallyUnique: { consentRequest: installation => installation.consentRequestId },
    queries: { inOrder: { equality: [] } },
  });
}

export function viewOf({ id, state }: Entry<Installation>, selfUrl: string): z.infer<typeof installationView> {
  const { consentRequestId, ...rest } = state;
  const open = state.status === 'approved' && consentRequestId !== null;
  return { id, ...rest, consentUrl: open ? `${selfUrl}/consent/${consentRequestId}` : null };
}

type EventType =
  | 'installation.requested'
  | 'installation.approved'
  | 'installation.installed'
  | 'installation.uninstalled';

function event(
  type: EventType,
  id: string,
  { connectorId, connectorName, scopes }: Installation,
  reason: string,
): EventDraft {
  const target = { type: 'installation', id, name: connectorName };
  return { type, target, outcome: 'success', reason: because(reason), details: { connectorId, connectorName, scopes } };
}

function expect(installation: Installation, ...allowed: Installation['status'][]): void {
  if (allowed.includes(installation.status)) return;
  throw new ProblemError(
    'installation_state',
    `the installation is ${installation.status}; this needs ${allowed.join(' or ')}`,
  );
}

export function request(
  id: string,
  asked: Pick<Installation, 'connectorId' | 'connectorName' | 'scopes' | 'createdAt'>,
): NonNullable<Decision<Installation>> {
  const state: Installation = { ...asked, status: 'requested', consentRequestId: null, consentUntil: null };
  return { state, events: [event('installation.requested', id, state, 'requested')] };
}

export function approve(
  id: string,
  installation: Installation,
  { requestId, now }: { requestId: Id<'request'>; now: Date },
): Decision<Installation> {
  if (installation.status === 'approved') return null;
  expect(installation, 'requested');
  const consentUntil = new Date(now.getTime() + consentRequestLifetimeMs).toISOString();
  const state: Installation = { ...installation, status: 'approved', consentRequestId: requestId, consentUntil };
  return { state, events: [event('installation.approved', id, state, 'requested')] };
}

export function install(id: string, installation: Installation): Decision<Installation> {
  if (installation.status === 'installed') return null;
  expect(installation, 'approved');
  const state: Installation = { ...installation, status: 'installed' };
  return { state, events: [event('installation.installed', id, state, 'consented_and_connected')] };
}

export function uninstall(id: string, installation: Installation): Decision<Installation> {
  if (installation.status === 'uninstalled') return null;
  const state: Installation = { ...installation, status: 'uninstalled' };
  return { state, events: [event('installation.uninstalled', id, state, 'requested')] };
}
