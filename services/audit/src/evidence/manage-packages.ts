import {
  because,
  type Cause,
  type EventDraft,
  type Id,
  invalidField,
  ProblemError,
  type TenantId,
} from '@reeve/contracts';
import { instant, pageOf, pageQuery, tenantRoute } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import type { Response } from 'express';
import { z } from 'zod';
import { type EvidencePackage, type EvidencePackages, pieceId, request } from './evidence-package.ts';

type Parts = { evidence: EvidencePackages; clock: Clock };

const path = '/v1/tenants/{tenantId}/audit/evidence-packages' as const;

const packageView = z.object({
  id: z.string(),
  name: z.string(),
  period: z.object({ from: z.string(), to: z.string() }),
  status: z.enum(['waiting', 'building', 'ready', 'failed']),
  progress: z.object({ done: z.number(), of: z.number() }).describe('Places of the log'),
  requestedAt: z.string(),
  expiresAt: z.string().describe('When it is forgotten'),
  bytes: z.number(),
  sha256: z.string().nullable().describe('Of the zip'),
  failure: z.string().nullable(),
});

function shown({ id, state }: Entry<EvidencePackage>): z.infer<typeof packageView> {
  const { name, period, status, progress, requestedAt, expiresAt, bytes, sha256, failure } = state;
  return { id, name, period, status, progress, requestedAt, expiresAt, bytes, sha256, failure };
}

const event = (
  type: 'evidence_package.requested' | 'evidence_package.downloaded' | 'evidence_package.deleted',
  id: string,
  { name, period, sha256 }: EvidencePackage,
): EventDraft => ({
  type,
  target: { type: 'evidence_package', id, name },
  outcome: 'success',
  reason: because('requested'),
  details: { ...period, sha256 },
});

async function packageOf({ evidence }: Parts, tenantId: TenantId, params: Record<string, string>) {
  const entry = await evidence.packages.in(tenantId).get(String(params['packageId']));
  if (!entry) throw new ProblemError('evidence_package_unknown');
  return entry;
}

export const listPackages = ({ evidence }: Parts) =>
  tenantRoute({
    method: 'get',
    path,
    summary: 'List the evidence packages, newest first',
    action: 'audit:export',
    query: pageQuery,
    response: pageOf(packageView),
    async handle({ tenantId, query }) {
      const { items, nextCursor } = await evidence.packages.in(tenantId).list('newest', {}, query);
      return { body: { items: items.map(shown), nextCursor } };
    },
  });

export const createPackage = ({ evidence, clock }: Parts) =>
  tenantRoute({
    method: 'post',
    path,
    summary:
      'Have a zip made for an auditor, in the background: records of a period, proofs, checkpoints, keys, controls, a summary',
    action: 'audit:export',
    body: z.strictObject({
      name: z.string().trim().min(1).max(100).describe('What it is for; the heading of its summary'),
      from: instant.describe('When the records were chained, at the earliest'),
      to: instant.describe('At the latest'),
    }),
    status: 202,
    response: packageView,
    async handle({ tenantId, body: { name, from, to }, cause, freshId }) {
      if (from > to) throw invalidField('to', 'must not be before `from`');
      const id: Id<'evidence'> = freshId('evidence');
      const { type, id: actorId, name: actorName } = cause.actor;
      const requestedBy = { type, id: actorId, name: actorName };
      const state = request({ name, period: { from, to }, requestedBy }, clock.now());
      const decision = { state, events: [event('evidence_package.requested', id, state)] };
      const entry = await evidence.packages.in(tenantId).create(id, decision, cause);
      if (!entry) throw new ProblemError('conflict');
      return { body: shown(entry), version: entry.version };
    },
  });

export const readPackage = (parts: Parts) =>
  tenantRoute({
    method: 'get',
    path: `${path}/{packageId}`,
    summary: 'Read how far an evidence package is',
    action: 'audit:export',
    response: packageView,
    async handle({ tenantId, params }) {
      const entry = await packageOf(parts, tenantId, params);
      return { body: shown(entry), version: entry.version };
    },
  });

export const downloadPackage = (
  parts: Parts & { recordFact: (tenantId: TenantId, event: EventDraft, cause: Cause) => Promise<void> },
) =>
  tenantRoute({
    method: 'get',
    path: `${path}/{packageId}/archive`,
    summary: 'Download an evidence package that is ready: a zip',
    action: 'audit:export',
    response: z.string().describe('The zip'),
    async handle({ tenantId, params, cause }) {
      const { id, state } = await packageOf(parts, tenantId, params);
      const { status, build } = state;
      if (status !== 'ready' || build === null) throw new ProblemError('evidence_package_state', `it is ${status}`);
      await parts.recordFact(tenantId, event('evidence_package.downloaded', id, state), cause);
      return { stream: response => send(parts, response, { tenantId, id, state, build }) };
    },
  });

async function send(
  { evidence }: Parts,
  response: Response,
  { tenantId, id, state, build }: { tenantId: TenantId; id: string; state: EvidencePackage; build: string },
): Promise<void> {
  response.type('application/zip');
  response.setHeader('Content-Length', state.bytes);
  response.setHeader('Content-Disposition', `attachment; filename="${id}.zip"`);
  for (let number = 0; number < state.pieces && !response.destroyed; number += 1) {
    const piece = await evidence.pieces.in(tenantId).get(pieceId(build, number));
    if (!piece) throw new Error(`piece ${number} of ${id} is missing`);
    await new Promise<void>(resolve => {
      response.once('close', resolve);
      response.write(Buffer.from(piece.state.content, 'base64'), () => resolve());
    });
  }
  response.end();
}

export const deletePackage = ({ evidence, clock }: Parts) =>
  tenantRoute({
    method: 'delete',
    path: `${path}/{packageId}`,
    summary:
      'Remove an evidence package before it is forgotten by itself; one that is being built is not built further',
    action: 'audit:export',
    status: 204,
    response: z.null(),
    async handle({ tenantId, params, cause, expectedVersion }) {
      const id = String(params['packageId']);
      const expiresAt = clock.now().toISOString();
      const decide = (was: EvidencePackage | null) =>
        was && {
          state: { ...was, status: 'failed' as const, lease: null, expiresAt },
          events: [event('evidence_package.deleted', id, was)],
        };
      const removed = await evidence.packages.in(tenantId).change(id, decide, { cause, expectedVersion });
      if (!removed) throw new ProblemError('evidence_package_unknown');
      const { build, pieces } = removed.state;
      const ids = Array.from({ length: pieces }, (_, number) => pieceId(build ?? '', number));
      await evidence.pieces.in(tenantId).removeAll(ids);
      return { body: null };
    },
  });
