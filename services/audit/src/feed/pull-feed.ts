import { setTimeout as sleep } from 'node:timers/promises';
import { formats } from '@reeve/audit-log';
import { type GiveWay, tenantRoute, yieldEvery } from '@reeve/service-kit';
import { z } from 'zod';
import { linesOfStep } from '../log/export-lines.ts';
import type { Log } from '../log/log.ts';
import { type Position, readAfter } from '../log/read-after.ts';
import { decodePosition, encodePosition } from './feed-cursor.ts';

type Parts = Pick<Log, 'records' | 'tombstones' | 'heads' | 'signingKey'> & { giveWay: GiveWay['toRequests'] };

const jsonFormats = ['ndjson', 'ocsf', 'ecs', 'hec'] as const;
const lookAgainMs = 500;
const longestTurnMs = 10;

export const pullFeed = ({ signingKey, giveWay, ...log }: Parts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/audit/feed',
    summary:
      'Pull what is new in the log, in the order of each chain; ask again with `after` = `nextCursor`, ' +
      'which never ends',
    action: 'audit:export',
    query: z.strictObject({
      after: z
        .string()
        .max(20_000)
        .optional()
        .describe('The `nextCursor` of the answer before; from the beginning without it'),
      limit: z.coerce
        .number()
        .int()
        .min(1)
        .max(1_000)
        .default(200)
        .describe('Records at most; where some were removed, their tombstones come in addition'),
      format: z.enum(jsonFormats).default('ndjson').describe('What each of `items` is, as in the export'),
      wait: z.coerce
        .number()
        .int()
        .min(0)
        .max(25)
        .default(0)
        .describe('Seconds to wait for something new before answering with nothing'),
    }),
    response: z.object({ items: z.array(z.record(z.string(), z.unknown())), nextCursor: z.string() }),
    async handle({ tenantId, query: { after, limit, format, wait } }) {
      const start: Position = after === undefined ? {} : decodePosition(tenantId, after);
      const giveUpAt = Date.now() + wait * 1_000;
      let { found, position } = await readAfter(log, { tenantId, position: start, limit });
      while (found.length === 0 && Date.now() < giveUpAt) {
        await sleep(lookAgainMs);
        ({ found, position } = await readAfter(log, { tenantId, position: start, limit }));
      }
      const keyId = signingKey().kid;
      const items: Record<string, unknown>[] = [];
      const rest = yieldEvery(longestTurnMs, giveWay);
      for (const step of found) {
        const lines = linesOfStep(step, formats[format], keyId);
        items.push(...lines.map(line => JSON.parse(line) as Record<string, unknown>));
        await rest();
      }
      return { body: { items, nextCursor: encodePosition(tenantId, position) } };
    },
  });
