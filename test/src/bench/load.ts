// A closed loop of signed webhooks: as many connections as given, each with one request under way.
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { sign } from '@reeve/webhook-signatures';

export type Load = {
  sent: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  statuses: Record<string, number>;
};

const padding = randomBytes(480).toString('hex'); // about 1 kB of body

/** Resolves with the status of the answer. */
export function postWebhook(url: string, secret: string, { id, agent }: { id: string; agent: Agent }): Promise<number> {
  const timestamp = Math.floor(Date.now() / 1000);
  const body = Buffer.from(JSON.stringify({ id, padding }));
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    ...sign({ scheme: 'standard', settings: null, secret, id, timestamp, body }),
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', agent, headers }, response => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** With `ids`, those are sent again and again, body and all; otherwise every request has an id of its own. */
export async function webhookLoad(
  url: string,
  secret: string,
  { connections, seconds, ids }: { connections: number; seconds: number; ids?: readonly string[] },
): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const times: number[] = [];
  const statuses: Record<string, number> = {};
  const end = performance.now() + seconds * 1000;
  let next = 0;

  const post = () => postWebhook(url, secret, { id: ids?.[next++ % ids.length] ?? `msg_${randomUUID()}`, agent });

  async function connection(): Promise<void> {
    while (performance.now() < end) {
      const began = performance.now();
      const status = await post();
      times.push(performance.now() - began);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  }

  const began = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  agent.destroy();
  times.sort((one, other) => one - other);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  const perSecond = times.length / ((performance.now() - began) / 1000);
  return { sent: times.length, perSecond, p50Ms: at(0.5), p99Ms: at(0.99), statuses };
}

/** Resident memory of a process in MB. */
export function memoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024);
}
