// Reading the audit log: export and verification against their floors, search against itself at a tenth of the size.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { formats, linesOf, verifyLines } from '@reeve/audit-log';
import { nodeBinary, repositoryRoot } from '@reeve/local/paths';
import { auditKeys } from '../support/audit.ts';
import type { Bench, BenchContext } from './bench-context.ts';
import { events, filledTenant, tenants } from './filled-log.ts';
import { memoryOf } from './load.ts';

const rounds = 3;
const run = promisify(execFile);

const exported = (response: Response) => linesOf((response.body ?? []) as AsyncIterable<Uint8Array>);

export const auditExport: Bench = {
  name: 'audit: export',
  unit: 'records/s',
  floorIs: 'a bare cursor over the same documents in the same order, JSON.stringify of each',
  wanted: 0.4,
  async run(context: BenchContext) {
    const { credentials, system } = context;
    const { api, tenant } = await filledTenant(context);
    const url = `${credentials.urls.audit}/v1/tenants/${tenant.id}/audit/export`;
    const pid = system.pidOf('audit');
    const memoryBeforeMb = memoryOf(pid);
    let memoryMb = memoryBeforeMb;
    let [ours, floor, records] = [0, 0, 0];
    for (let round = 0; round < rounds; round += 1) {
      const { stdout } = await run(
        nodeBinary,
        ['--conditions=source', join(repositoryRoot, 'test/src/bench/floor-export.ts')],
        { env: { ...process.env, MONGODB_URI: credentials.mongodb, DATABASE: 'reeve_audit', TENANT: tenant.id } },
      );
      const bare = JSON.parse(stdout) as { ms: number; documents: number };
      floor += bare.documents / (bare.ms / 1000) / rounds;
      const began = performance.now();
      records = 0;
      for await (const _ of exported(await api.send('GET', url))) {
        records += 1;
        if (records % 5_000 === 0) memoryMb = Math.max(memoryMb, memoryOf(pid));
      }
      ours += records / ((performance.now() - began) / 1000) / rounds;
    }
    return { ours, floor, details: { records, events, memoryBeforeMb, memoryMb } };
  },
};

export const auditVerification: Bench = {
  name: 'audit: verification',
  unit: 'records/s',
  floorIs: 'bare JSON.parse + SHA-256 of each line',
  wanted: 0.5,
  async run(context: BenchContext) {
    const { credentials } = context;
    const { api, tenant } = await filledTenant(context);
    const lines: string[] = [];
    const response = await api.send('GET', `${credentials.urls.audit}/v1/tenants/${tenant.id}/audit/export`);
    for await (const line of exported(response)) lines.push(line);
    const keys = await auditKeys(credentials);
    async function* stream() {
      yield* lines;
    }
    let [oursMs, floorMs] = [0, 0];
    for (let round = 0; round < rounds; round += 1) {
      const began = performance.now();
      for await (const line of stream()) {
        JSON.parse(line);
        createHash('sha256').update(line).digest('hex');
      }
      const between = performance.now();
      const { finding } = await verifyLines(stream(), { format: formats.ndjson, keys });
      if (finding) throw new Error(`it does not verify: ${finding.detail}`);
      floorMs += between - began;
      oursMs += performance.now() - between;
    }
    const perSecond = (ms: number) => (lines.length * rounds) / (ms / 1000);
    return { ours: perSecond(oursMs), floor: perSecond(floorMs), details: { records: lines.length, events } };
  },
};

const searches = 60;

export const auditSearch: Bench = {
  name: 'audit: search',
  unit: 'searches/s at the 95th percentile',
  floorIs: 'the same searches when there was a tenth of the events',
  wanted: 1 / 1.5,
  async run(context: BenchContext) {
    const { credentials } = context;
    const { api, tenant } = await filledTenant(context, Math.round(events / 10));
    const path = `${credentials.urls.audit}/v1/tenants/${tenant.id}/audit/events?limit=20`;
    const filters = [
      'type=session.created',
      'outcome=failure',
      'ip=192.0.2.0',
      'text=bench',
      'type=session.created&outcome=failure',
      '',
    ];
    const p95 = async () => {
      const times: number[] = [];
      for (let n = 0; n < searches; n += 1) {
        const began = performance.now();
        await api.get(`${path}&${filters[n % filters.length]}`);
        times.push(performance.now() - began);
      }
      return times.toSorted((one, other) => one - other)[Math.floor(times.length * 0.95)] ?? 0;
    };
    const small = await p95();
    await filledTenant(context);
    const large = await p95();
    const details = { events, tenants, p95Ms: Math.round(large), p95AtATenthMs: Math.round(small) };
    return { ours: 1_000 / large, floor: 1_000 / small, details };
  },
};
