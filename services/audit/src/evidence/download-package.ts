import { ProblemError, type TenantId } from '@reeve/contracts';
import { readExisting, tenantRoute } from '@reeve/service-kit';
import type { Store } from '@reeve/store';
import { z } from 'zod';
import { sendStream } from '../send-stream.ts';
import { downloaded, type Evidence, type EvidencePieces, packagesPath, pieceIds } from './evidence-package.ts';

const zipType = 'application/zip';

export const downloadPackage = ({ packages, pieces, recordFact }: Evidence & { recordFact: Store['recordFact'] }) =>
  tenantRoute({
    method: 'get',
    path: `${packagesPath}/{packageId}/archive`,
    summary: 'Download an evidence package that is ready: a zip',
    action: 'audit:export',
    response: z.string().describe('The zip'),
    produces: [zipType],
    async handle({ tenantId, params: { packageId: id }, cause }) {
      const { state } = await readExisting(packages.in(tenantId), id);
      if (state.status !== 'ready') throw new ProblemError('evidence_package_state', `it is ${state.status}`);
      await recordFact(tenantId, downloaded(id, state), cause);
      return {
        stream(response) {
          response.type(zipType);
          response.setHeader('Content-Length', state.bytes);
          response.setHeader('Content-Disposition', `attachment; filename="${id}.zip"`);
          return sendStream(response, contentOf(pieces, tenantId, pieceIds(state)));
        },
      };
    },
  });

async function* contentOf(pieces: EvidencePieces, tenantId: TenantId, ids: readonly string[]): AsyncGenerator<Buffer> {
  for (const id of ids) {
    const piece = await pieces.in(tenantId).get(id);
    if (!piece) throw new Error(`piece ${id} of an evidence package is missing`);
    yield Buffer.from(piece.state.content, 'base64');
  }
}
