// How long a browser waits that comes back from a SAML provider: for its post to the assertion consumer service, at
// fifty a second, and for the page after it, where the response is verified and the session begins, at ten a second.
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { platformApi } from '@reeve/local/seed';
import { type Browser, createBrowser } from '@reeve/testing/browser';
import type { BenchContext, CostBench, CostResult } from './bench-context.ts';

const callback = 'http://localhost:5999/callback';
/** Of the pages there are fewer than two cores can end sign-ins. */
const perSecond = { post: 50, page: 10 };
const [warmUps, measured] = [200, 1_000];
const measuredPages = 300;
/** Preparing costs as much as what is measured. */
const preparedAtOnce = 8;
/** Until what was done before is done everywhere. */
const calmMs = 5_000;

type Prepared = { browser: Browser; acs: string; form: URLSearchParams };

async function application({ credentials, samlProvider }: BenchContext) {
  const api = platformApi(credentials);
  const { auth, provisioning } = credentials.urls;
  const slug = `acs-${randomUUID().slice(0, 8)}`;
  const tenant = await api.post<{ id: string }>(`${provisioning}/v1/tenants`, { slug, name: 'Bench' });
  const base = `${auth}/v1/tenants/${tenant.id}`;
  const connection = await api.post<{ id: string }>(`${base}/sso-connections`, {
    name: 'SAML',
    kind: 'saml',
    saml: { metadataUrl: samlProvider.metadataUrl },
    jit: { enabled: true },
  });
  await api.post(`${base}/sso-connections/${connection.id}:activate`);
  return api.post<{ clientId: string }>(`${base}/clients`, {
    name: 'Application',
    grantTypes: ['authorization_code'],
    redirectUris: [callback],
  });
}

const fieldIn = (page: string, name: string): string =>
  (new RegExp(`name="${name}" value="([^"]*)"`).exec(page)?.[1] ?? '')
    .replaceAll('&#43;', '+')
    .replaceAll('&amp;', '&');

/** Somebody who has signed in at the provider, and whose browser is about to bring the answer. */
async function comeBack({ credentials, samlProvider }: BenchContext, clientId: string): Promise<Prepared> {
  const browser = createBrowser();
  const url = new URL(`${credentials.urls.auth}/auth`);
  url.search = new URLSearchParams({
    client_id: clientId,
    redirect_uri: callback,
    response_type: 'code',
    scope: 'openid email',
    state: 'state',
    code_challenge: 'ZtNPunH49FD35FWYhT5Tv8I7vRKQJ8uxMaL0_9eHjNA',
    code_challenge_method: 'S256',
  }).toString();
  const left = await browser.open(url, `${samlProvider.url}/sso`);
  const page = await (await fetch(left.url)).text();
  const form = new URLSearchParams(['SAMLResponse', 'RelayState'].map(name => [name, fieldIn(page, name)]));
  return { browser, acs: /action="([^"]*)"/.exec(page)?.[1] ?? '', form };
}

type Posted = { browser: Browser; next: URL };

async function post({ browser, acs, form }: Prepared): Promise<Posted> {
  const posted = await fetch(acs, { method: 'POST', redirect: 'manual', body: form });
  await posted.text();
  return { browser, next: new URL(posted.headers.get('location') ?? '', acs) };
}

async function openNext({ browser, next }: Posted): Promise<void> {
  const cookie = await browser.jar.getCookieString(next.href);
  const answered = await fetch(next, { redirect: 'manual', headers: { cookie } });
  await answered.text();
  if (answered.status !== 303) throw new Error(`a sign-in ended with ${answered.status}`);
}

/** Does it for each when it is its turn, however long the others take; gives what each gave and how long it took. */
async function atRate<T, R>(each: readonly T[], everySecond: number, work: (one: T) => Promise<R>) {
  const began = performance.now();
  return Promise.all(
    each.map(async (one, index) => {
      await sleep(Math.max(0, began + (index * 1_000) / everySecond - performance.now()));
      const at = performance.now();
      const gave = await work(one);
      return { gave, ms: performance.now() - at };
    }),
  );
}

const quantile = (of: readonly { ms: number }[], share: number): number =>
  of.map(({ ms }) => ms).toSorted((one, other) => one - other)[Math.floor(of.length * share)] ?? 0;

const resultOf = (what: string, everySecond: number, waited: readonly { ms: number }[]): CostResult => ({
  what,
  perSecond: everySecond,
  costs: [{ of: 'ms at p95', each: quantile(waited, 0.95), atMost: 40 }],
  details: { p50: Math.round(quantile(waited, 0.5)), p99: Math.round(quantile(waited, 0.99)) },
});

export const assertionConsumer: CostBench = {
  name: 'auth: assertion consumer service',
  async run(context) {
    const { samlProvider } = context;
    const groups = Array.from({ length: 50 }, (_, index) => `a group of the directory with the number ${index}`);
    samlProvider.is({ nameId: 'ada', attributes: { email: 'ada@acme.example', groups } });
    const { clientId } = await application(context);
    const waiting: Prepared[] = [];
    const prepare = async () => {
      while (waiting.length < warmUps + measured) waiting.push(await comeBack(context, clientId));
    };
    await Promise.all(Array.from({ length: preparedAtOnce }, prepare));
    for (const one of waiting.splice(0, warmUps)) await openNext(await post(one));
    await sleep(calmMs);
    const posts = await atRate(waiting, perSecond.post, post);
    await sleep(calmMs);
    const posted = posts.slice(0, measuredPages).map(({ gave }) => gave);
    const pages = await atRate(posted, perSecond.page, openNext);
    const results = [
      resultOf('the post', perSecond.post, posts),
      resultOf('the page after it, with the response verified and the session begun', perSecond.page, pages),
    ];
    return { results, details: { bytes: waiting[0]?.form.get('SAMLResponse')?.length ?? 0 } };
  },
};
