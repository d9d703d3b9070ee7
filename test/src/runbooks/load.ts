// Partners and people who go on while something is lost: what they were told holds afterwards, or was never said.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { send, signedWebhook } from '@reeve/local/partner';
import { type ProductApp, refresh, registerProductApp, type SignedIn, signIn } from '@reeve/local/product-app';
import type { Credentials } from '@reeve/local/system';
import { payloadsOf } from '../support/payloads.ts';
import { freshTenant } from '../support/running-system.ts';

type Endpoint = { id: string; url: string; secret: string };

const partners = 4;
const betweenWebhooksMs = 40;
const betweenSignInsMs = 200;
/** A sign-in that waits for a store that is away. */
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
  let isOver = false;

  async function partner(): Promise<void> {
    while (!isOver) {
      const webhook = signedWebhook(endpoint.secret, { at: Date.now() });
      // The same one again until it is taken.
      for (;;) {
        const answer = await send(endpoint.url, webhook).catch(() => null);
        if (answer?.ok) {
          accepted.add(((await answer.json()) as { id: string }).id);
          break;
        }
        await answer?.body?.cancel();
        const status = answer?.status ?? 0;
        refused[status] = (refused[status] ?? 0) + 1;
        await sleep(againAfterMs);
      }
      await sleep(betweenWebhooksMs);
    }
  }

  async function people(): Promise<void> {
    while (!isOver) {
      const done = await signIn(app, tenant, alice).catch(() => null);
      if (done) signedIn.push(done);
      else failedSignIns += 1;
      await sleep(betweenSignInsMs);
    }
  }

  const going = Promise.all([...Array.from({ length: partners }, partner), people()]);

  return {
    /** So far. */
    counts: () => ({ accepted: accepted.size, signedIn: signedIn.length, failedSignIns, refused: { ...refused } }),

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
      isOver = true;
      await going;
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
