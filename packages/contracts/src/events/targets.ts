// What an event can be about, and what the id of each is: one of our prefixed ids where the thing has one, another text
// (`null` here) where it has not.
import { z } from 'zod';
import { type Id, type IdKind, idSchema } from '../ids.ts';

export const targetIds = {
  tenant: 'tenant',
  organization: null,
  workspace: null,
  user: 'user',
  /** A hash over connection, issuer and subject. */
  identity: null,
  group: null,
  /** Has the id of the group. */
  membership: null,
  invitation: null,
  directory: 'directory',
  session: 'session',
  connection: 'connection',
  /** Has the id of the claim. */
  domain: null,
  auth_key: null,
  /** Has the id of its tenant. */
  branding: 'tenant',
  policy: null,
  client: 'client',
  grant: 'grant',
  resource_server: 'resourceServer',
  signal_stream: 'signalStream',
  mfa_factor: null,
  signing_key: null,
  setup_link: null,
  bot: null,
  connector: null,
  installation: 'installation',
  consent: 'consent',
  /** Has the id of the consent that it rests on. */
  delegated_token: 'consent',
  webhook_endpoint: 'endpoint',
  webhook_delivery: 'delivery',
  secret: null,
  /** Has the id of its tenant. */
  audit_log: 'tenant',
  checkpoint: null,
  saved_view: 'view',
  viewer_token: 'viewer',
  sink: 'sink',
  evidence_package: 'evidence',
  retention: null,
  legal_hold: 'hold',
  deletion_request: 'deletion',
  alert: 'alert',
  alert_rule: null,
  /** What somebody tried to do, by the name of the action. */
  operation: null,
} as const satisfies Record<string, IdKind | null>;

export type TargetKind = keyof typeof targetIds;

export type TargetId<K extends TargetKind> = (typeof targetIds)[K] extends IdKind ? Id<(typeof targetIds)[K]> : string;

export type TypedTarget<K extends TargetKind> = { type: K; id: TargetId<K>; name: string | null };

/** For readers: the target of an event of a known type. */
export function targetSchema<K extends TargetKind>(kind: K) {
  const idKind = targetIds[kind];
  return z.object({
    type: z.literal(kind),
    id: idKind === null ? z.string().min(1) : idSchema(idKind),
    name: z.string().nullable(),
  });
}
