// Partners that send webhooks to several instances at once, each of them several times, and again until it is taken.
import { setTimeout as sleep } from 'node:timers/promises';
import { sign } from '@reeve/webhook-signatures';

export type Endpoint = { id: string; url: string; secret: string };
export type Webhook = { endpoint: Endpoint; id: string; body: Buffer };

/** What the senders of one webhook were told, all together. */
type Answers = { accepted: number; deliveries: Set<string> };

export type Storm = ReturnType<typeof createStorm>;

/** Longer than an instance looks for its store before it refuses; shorter than one stands still. */
const givesUpAfterMs = 20_000;
/** Where all instances are there, also if the machine is busy. */
const isPatientForMs = 60_000;
const againAfterMs = 100;

/** `instances` are their origins. A connection keeps to one of them, and turns to the others when that fails it. */
export function createStorm(queue: readonly Webhook[], instances: readonly string[]) {
  const answers = new Map<string, Answers>();
  const unexpected: Record<string, number> = {};
  const counts = { refused: 0, unanswered: 0, repeated: 0 };
  let sent = 0;
  let waitsMs = givesUpAfterMs;
  /** How much may be on its way. */
  let most = queue.length;

  async function attempt({ endpoint, id, body }: Webhook, instance: string): Promise<'done' | 'again'> {
    const timestamp = Math.floor(Date.now() / 1_000);
    const headers = sign({ scheme: 'standard', settings: null, secret: endpoint.secret, id, timestamp, body });
    let response: Response;
    let answer: { id: string; code?: string };
    try {
      response = await fetch(`${instance}/hooks/${endpoint.id}`, {
        method: 'POST',
        headers,
        body: new Uint8Array(body),
        signal: AbortSignal.timeout(waitsMs),
      });
      answer = (await response.json()) as typeof answer;
    } catch {
      // Nobody is there: killed, or standing still.
      counts.unanswered += 1;
      return 'again';
    }
    if (response.ok) {
      const known = answers.get(id) ?? { accepted: 0, deliveries: new Set() };
      answers.set(id, known);
      known.deliveries.add(answer.id);
      if (response.status === 202) known.accepted += 1;
      else counts.repeated += 1;
      return 'done';
    }
    counts.refused += 1;
    if (response.status === 503 && response.headers.has('retry-after')) return 'again';
    const what = `${response.status} ${answer.code}`;
    unexpected[what] = (unexpected[what] ?? 0) + 1;
    return 'done';
  }

  async function next(): Promise<Webhook | undefined> {
    while (sent >= most && sent < queue.length) await sleep(50);
    return queue[sent++];
  }

  async function connection(home: number): Promise<void> {
    for (let webhook = await next(); webhook; webhook = await next())
      for (let at = home; (await attempt(webhook, instances[at % instances.length] ?? '')) !== 'done'; at += 1)
        await sleep(againAfterMs);
  }

  return {
    answers,
    /** Answers that are neither a 2xx nor a 503 that says when to come back, by status and code. */
    unexpected,
    counts,

    /** Resolves when everything was taken. */
    run: (connections: number) => Promise.all(Array.from({ length: connections }, (_, index) => connection(index))),

    /** Resolves when that share of it is on its way. */
    async reaches(share: number): Promise<void> {
      while (sent < queue.length * share) await sleep(50);
    },

    /** No more than that share is sent until it goes on. */
    waitsAt(share: number): void {
      most = Math.floor(queue.length * share);
    },
    goesOn(): void {
      most = queue.length;
    },

    /** From now on every sender is answered in the end. */
    bePatient() {
      waitsMs = isPatientForMs;
    },

    /** Resolves when another one is told to come again. */
    async refuses(): Promise<void> {
      const before = counts.refused;
      while (counts.refused === before) await sleep(50);
    },
  };
}

/** Each of them so many times, more or less in the order of `due` (from 0 to 1): mixed with those that are near. */
export function mixed<T>(items: readonly T[], { times, due }: { times: number; due: (item: T) => number }): T[] {
  const near = 0.2;
  return items
    .flatMap(item => Array.from({ length: times }, () => ({ item, at: due(item) + Math.random() * near })))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
