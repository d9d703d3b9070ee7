// Partners and people who go on while something is lost: what they were told holds afterwards, or was never said.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { send, signedWebhook } from '@reeve/local/partner';
import { type ProductApp, refresh, registerProductApp, type SignedIn, signIn } from '@reeve/local/product-app';
import type { Credentials } from '@reeve/local/system';
import { payloadsOf } from '../support/payloads.ts';
import { freshTenant } from '../support/running-system.ts';
import { type Steady, startSteady } from '../support/steady.ts';

type Endpoint = { id: string; url: string; secret: string };

const webhooksPerSecond = Number(process.env['REEVE_LOAD_WEBHOOKS'] ?? 80);
const signInsPerSecond = Number(process.env['REEVE_LOAD_SIGN_INS'] ?? 3);
/** More than two cores answer in time. */
const atOnce = 32;
/** A webhook whose answer was none, and a sign-in that waits for a store that is away. */
const againAfterMs = 200;

export type Load = Awaited<ReturnType<typeof startLoad>>;

/** Begins at once. */
export async function startLoad(credentials: Credentials) {
  const { tenant, api } = await freshTenant(credentials, 'load');
  const base = `${credentials.urls.webhookIngress}/v1/tenants/${tenant.id}/webhook-endpoints`;
  const endpoint = await api.post<Endpoint>(base, { connectorId: 'load' });
  const app: ProductApp = await registerProductApp(api, credentials, tenant);
  const [alice] = credentials.demoUsers as [Credentials['demoUsers'][0]];
  const accepted = new Set<string>();
  const signedIn: SignedIn[] = [];
  /** By status; 0 for no answer at all. */
  const refused: Record<string, number> = {};
  let failedSignIns = 0;

  async function webhook(): Promise<void> {
    const signed = signedWebhook(endpoint.secret, { at: Date.now() });
    // The same one again until it is taken.
    for (;;) {
      const answer = await send(endpoint.url, signed).catch(() => null);
      if (answer?.ok) {
        accepted.add(((await answer.json()) as { id: string }).id);
        return;
      }
      await answer?.body?.cancel();
      const status = answer?.status ?? 0;
      refused[status] = (refused[status] ?? 0) + 1;
      await sleep(againAfterMs);
    }
  }

  async function person(): Promise<void> {
    const done = await signIn(app, tenant, alice).catch(() => null);
    if (done) signedIn.push(done);
    else failedSignIns += 1;
  }

  const webhooks = startSteady(webhooksPerSecond, atOnce, webhook);
  const people = startSteady(signInsPerSecond, atOnce, person);

  return {
    /** So far. */
    counts: () => ({ accepted: accepted.size, signedIn: signedIn.length, failedSignIns, refused: { ...refused } }),

    /** How much of it there was so far, for whoever reads the run. */
    told: () => `${told('webhooks', webhooks)}, ${told('sign-ins', people)}`,

    /** Resolves when others were accepted and signed in than had been. */
    async goesOn(): Promise<void> {
      const before = { accepted: accepted.size, signedIn: signedIn.length };
      while (accepted.size <= before.accepted || signedIn.length <= before.signedIn) await sleep(50);
    },

    /** Resolves when a webhook was refused that was not yet, or met nobody. */
    async isRefused(): Promise<void> {
      const sum = () => Object.values(refused).reduce((total, count) => total + count, 0);
      const before = sum();
      while (sum() <= before) await sleep(50);
    },

    /** Every webhook that got 202 is published once, and every sign-in that was answered holds. */
    async endsWell(): Promise<void> {
      await Promise.all([webhooks.stop(), people.stop()]);
      const published = await payloadsOf(credentials, endpoint.id, { count: accepted.size });
      expect(published.map(({ subject }) => subject.replace('webhook_delivery/', '')).toSorted()).toEqual(
        [...accepted].toSorted(),
      );
      const sessions = new Set(signedIn.map(({ claims }) => claims['sid']));
      expect(sessions.size).toBe(signedIn.length);
      for (const { tokens } of signedIn)
        expect(await refresh(app, String(tokens.refresh_token))).toMatchObject({ access_token: expect.any(String) });
    },
  };
}

function told(what: string, steady: Steady): string {
  const { perSecond, heldBack } = steady.counts();
  return `${perSecond.toFixed(1)} ${what} a second (${heldBack} held back)`;
}
