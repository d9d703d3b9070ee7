// A page of somebody else's that embeds the assistant, as a customer's web team would write it, under the strictest
// policy that it works with: nothing inline, nothing evaluated, one origin besides its own.
import { createServer } from 'node:http';
import { listen } from '@reeve/testing';

const ownScript = `'use strict';
window.told = [];
for (const type of ['signedIn', 'signedOut', 'error'])
  document.addEventListener('reeve:' + type, ({ detail }) => window.told.push({ type, ...detail }));
const { init } = document.currentScript.dataset;
if (init) window.addEventListener('load', () => window.Reeve && window.Reeve.init(JSON.parse(init)));
`;

export type HostPage = Awaited<ReturnType<typeof startHostPage>>;

type Shown = {
  /** Of the script's address. */
  script?: Record<string, string>;
  /** What `Reeve.init` is called with. */
  init?: object;
  /** Of its own address. */
  query?: Record<string, string>;
  /** Directives of its policy that are other than they should be. */
  policy?: Record<string, string>;
  /** Further headers. */
  headers?: Record<string, string>;
  /** Of its address. */
  path?: string;
};

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');

export async function startHostPage(reeve: string) {
  let shown: Shown = {};
  const server = createServer((request, response) => {
    if (request.url === '/app.js') return void response.setHeader('Content-Type', 'text/javascript').end(ownScript);
    const policy = {
      'default-src': "'none'",
      'script-src': `'self' ${reeve}`,
      'connect-src': reeve,
      'frame-src': reeve,
      ...shown.policy,
    };
    const said = Object.entries(policy).map(([name, value]) => `${name} ${value}`);
    response.setHeader('Content-Security-Policy', said.join('; '));
    response.setHeader('Content-Type', 'text/html');
    for (const [name, value] of Object.entries(shown.headers ?? {})) response.setHeader(name, value);
    const source = `${reeve}/embed/reeve.js?${new URLSearchParams(shown.script ?? {})}`;
    const init = shown.init ? ` data-init="${escaped(JSON.stringify(shown.init))}"` : '';
    return void response.end(`<!doctype html><title>Portal</title><button data-reeve="sign-in">Sign in</button>
<button data-reeve="sign-out">Sign out</button><main id="place"></main>
<script src="/app.js"${init}></script><script src="${escaped(source)}"></script>`);
  });
  const { url, stop } = await listen(server);
  return {
    origin: url,
    stop,
    /** Where it is shown so. */
    shows(as: Shown): string {
      shown = as;
      return `${url}${as.path ?? '/portal'}?${new URLSearchParams(as.query ?? {})}`;
    },
  };
}
