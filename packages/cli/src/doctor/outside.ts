// What can be known of a service from outside it: its name, its certificate, whether it answers, and its clock.
import { lookup } from 'node:dns/promises';
import { connect as connectTls } from 'node:tls';

export type Status = 'ok' | 'warning' | 'failed';
export type Check = { code: string; status: Status; detail: string; advice: string | null };

const withinMs = 5_000;
const day = 86_400_000;
const renewWithinDays = 14;
const clockWarnsMs = 1_500;
const clockFailsMs = 5_000;
/** The header `Date` has whole seconds. */
const halfASecondMs = 500;

const ok = (code: string, detail: string): Check => ({ code, status: 'ok', detail, advice: null });
const bad = (status: 'warning' | 'failed', code: string, detail: string, advice: string): Check => ({
  code,
  status,
  detail,
  advice,
});
const whyOf = (error: unknown) => {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
};

/** In order, up to the first that makes the rest pointless. Never throws. */
export async function checkOutside(url: URL): Promise<Check[]> {
  const name = await checkName(url);
  if (name.status === 'failed') return [name];
  const certificate = url.protocol === 'https:' ? [await checkCertificate(url)] : [];
  return [name, ...certificate, ...(await checkHealth(url)), await checkReady(url)];
}

async function checkName({ hostname }: URL): Promise<Check> {
  const bare = hostname.replace(/^\[|\]$/g, '');
  try {
    const found = await lookup(bare, { all: true });
    return ok('dns', `${bare} is ${found.map(({ address }) => address).join(', ')}`);
  } catch (error) {
    return bad('failed', 'dns', `${bare} is not known here: ${whyOf(error)}`, 'Make its record, or see the resolver.');
  }
}

/** Its chain and name are what `fetch` looks at as well; here it is told when it ends. */
function checkCertificate({ hostname, port }: URL): Promise<Check> {
  return new Promise(resolve => {
    const host = hostname.replace(/^\[|\]$/g, '');
    const socket = connectTls({ host, port: Number(port || 443), servername: host, rejectUnauthorized: false });
    const end = (check: Check) => {
      socket.destroy();
      resolve(check);
    };
    socket.setTimeout(withinMs, () => end(bad('failed', 'tls', 'no answer by TLS in time', 'See what listens there.')));
    socket.once('error', error => end(bad('failed', 'tls', `no TLS: ${whyOf(error)}`, 'See what listens there.')));
    socket.once('secureConnect', () => {
      const until = new Date(socket.getPeerCertificate().valid_to);
      const days = Math.floor((until.getTime() - Date.now()) / day);
      const date = Number.isNaN(days) ? 'an unknown day' : until.toISOString().slice(0, 10);
      if (!socket.authorized)
        return end(
          bad(
            'failed',
            'tls',
            `its certificate is refused: ${String(socket.authorizationError)}`,
            'Give it one for this name.',
          ),
        );
      if (days < renewWithinDays)
        return end(
          bad('warning', 'tls', `its certificate ends on ${date}, in ${days} days`, 'See why it is not renewed.'),
        );
      return end(ok('tls', `${socket.getProtocol()}, its certificate counts until ${date}`));
    });
  });
}

async function checkHealth(url: URL): Promise<Check[]> {
  const askedAt = Date.now();
  try {
    const response = await ask(url, '/healthz');
    const advice = 'See the path of the proxy or ingress, and the log of the service.';
    if (response.status !== 200) return [bad('failed', 'health', `/healthz says ${response.status}`, advice)];
    const middle = (askedAt + Date.now()) / 2;
    const said = Date.parse(response.headers.get('date') ?? '') + halfASecondMs;
    return [ok('health', 'it answers'), ...(Number.isNaN(said) ? [] : [clockOf(said - middle)])];
  } catch (error) {
    return [
      bad('failed', 'health', `it does not answer: ${whyOf(error)}`, 'See whether it runs, and who may reach it.'),
    ];
  }
}

function clockOf(aheadMs: number): Check {
  const off = Math.abs(Math.round(aheadMs));
  const detail = `its clock is ${off} ms ${aheadMs < 0 ? 'behind' : 'ahead of'} the one here`;
  const advice = 'Set both clocks by NTP (docs/runbooks/clock-drift.md).';
  if (off > clockFailsMs) return bad('failed', 'clock', detail, advice);
  return off > clockWarnsMs ? bad('warning', 'clock', detail, advice) : ok('clock', detail);
}

async function checkReady(url: URL): Promise<Check> {
  try {
    const response = await ask(url, '/readyz');
    if (response.status === 200) return ok('ready', 'it can do its work');
    const { reason = 'no reason' } = (await response.json().catch(() => ({}))) as { reason?: string };
    return bad(
      'failed',
      'ready',
      `/readyz says ${response.status}: ${reason}`,
      'See the checks from inside, and its log.',
    );
  } catch (error) {
    return bad('failed', 'ready', `/readyz does not answer: ${whyOf(error)}`, 'See whether it runs.');
  }
}

const ask = (url: URL, path: string) =>
  fetch(new URL(path, url), { redirect: 'manual', signal: AbortSignal.timeout(withinMs) });
