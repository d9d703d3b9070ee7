// A process that delivers a line to each of some targets and says what came of it; then it stays for a while, since
// what a peer does later must not end it.
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { newId } from '@reeve/contracts';
import { createGuardedNetwork } from '@reeve/service-kit/outbound';
import { createIsolatedProcesses } from '../isolation/isolated-processes.ts';
import { SinkError } from '../kinds/delivery.ts';
import { kindOf, target } from '../kinds/registry.ts';

const { targets, allowedPrivateOrigins, stayMs } = JSON.parse(process.argv[2] ?? '') as {
  targets: { target: unknown; credential: string | null }[];
  allowedPrivateOrigins: string[];
  stayMs: number;
};
const reported: string[] = [];
const processes = createIsolatedProcesses({ onError: error => void reported.push(String(error)) });
const network = createGuardedNetwork({ allowedPrivateOrigins, timeoutMs: 5_000 });
const batch = { id: 'msg_1', tenantId: newId('tenant'), lines: [{ id: 'evt_1', text: '{"n":1}' }] };

async function deliver({ credential, ...about }: (typeof targets)[number]) {
  const to = target.parse(about.target);
  const began = performance.now();
  try {
    const { refused } = await kindOf(to).deliver({ network, processes }, { target: to, credential }, batch);
    return { code: 'delivered', refused, tookMs: performance.now() - began };
  } catch (error) {
    if (!(error instanceof SinkError)) throw error;
    return { code: error.code, detail: error.message, tookMs: performance.now() - began };
  }
}

/**
 * `resourceUsage` counts what the process that this one was forked from had; Linux also says what it has had itself.
 */
function peakMegabytes(): number {
  const status = existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '';
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return Number(peak ?? process.resourceUsage().maxRSS) / 1_000;
}

const outcomes = await Promise.all(targets.map(deliver));
await sleep(stayMs);
process.stdout.write(`${JSON.stringify({ outcomes, reported, mostMegabytes: peakMegabytes() })}\n`);
process.exit(0);
