// What a page, or somebody in the window of one, is refused: on the record of the tenant that the page names, where
// there is such a tenant, and told to the page that waits.
import { type EmbeddedFailure, eventTypes, ProblemError } from '@reeve/contracts';
import { causeOf, type TenantDirectory } from '@reeve/service-kit';
import type { Request } from 'express';
import type { EmbedDirectory } from './embed-directory.ts';
import type { NoteFailure } from './note-failure.ts';

export type OnRecordParts = { tenants: TenantDirectory; embeds: EmbedDirectory; noteFailure: NoteFailure };

type Met = {
  request: Request;
  /** As they were said. */
  domain: string | null | undefined;
  authKey?: string | null | undefined;
  origin: string | null | undefined;
  /** Tells the page: called where its origin is one of the tenant's, so that nobody else learns anything by it. */
  tellPage?: (code: EmbeddedFailure) => Promise<void> | void;
};

/** Throws what `work` throws. */
export async function onRecord<T>(parts: OnRecordParts, met: Met, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = failureIn(error);
    if (code !== undefined) await record(parts, met, code);
    throw error;
  }
}

export async function record(
  { tenants, embeds, noteFailure }: OnRecordParts,
  { request, domain, authKey, origin, tellPage }: Met,
  code: EmbeddedFailure,
): Promise<void> {
  const tenant = domain ? await tenants.findNamed(domain) : null;
  if (tenant?.status !== 'active') return;
  noteFailure({ tenantId: tenant.id, code, origin, authKey, cause: causeOf(request, null) });
  if (!tellPage || !origin) return;
  const { enabled, origins } = await embeds.of(tenant.id);
  if (enabled && origins.includes(origin)) await tellPage(code);
}

const failureIn = (error: unknown): EmbeddedFailure | undefined =>
  error instanceof ProblemError
    ? eventTypes['embedded_sign_in.failed'].reasons.find(reason => reason === error.code)
    : undefined;
