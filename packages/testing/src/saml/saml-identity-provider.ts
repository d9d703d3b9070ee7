// Somebody else's identity provider that speaks SAML 2.0, over HTTP: whoever comes is signed in at once, as whom the
// test says. It can lie in everything that it sends. Single logout too, by either binding.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listen } from '../listen.ts';
import { metadataXml } from './metadata-xml.ts';
import { type AskedSignIn, askedSignIn, type LogoutMessage, logoutMessage, readMessage } from './read-message.ts';
import { createSamlIssuer } from './saml-issuer.ts';
import { escapeXml } from './xml.ts';

export type SamlIdentityProvider = Awaited<ReturnType<typeof startSamlIdentityProvider>>;

/** What this provider knows of a service provider, as it would from its metadata. */
type ServiceProvider = { certificate: string | null; acsUrl: string | null; sloUrl: string | null };

/** A page that a browser submits by itself, and a person without JavaScript by its button. */
function formPage(action: string, fields: Record<string, string>): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${escapeXml(name)}" value="${escapeXml(value)}">`,
  );
  return `<!doctype html><title>Signed in</title>
<form method="post" action="${escapeXml(action)}">
${inputs.join('\n')}
<noscript><button>Continue</button></noscript>
</form>
<script>document.forms[0].submit()</script>`;
}

export async function startSamlIdentityProvider(options: { keyType?: 'rsa' | 'ec'; now?: () => number } = {}) {
  const asked: AskedSignIn[] = [];
  const logouts: LogoutMessage[] = [];
  const sent: string[] = [];
  const fetched: string[] = [];
  let wantAuthnRequestsSigned = false;
  let known: ServiceProvider = { certificate: null, acsUrl: null, sloUrl: null };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  const { url, stop } = await listen(server);
  const metadataUrl = `${url}/metadata`;
  const issuer = await createSamlIssuer({ entityId: metadataUrl, ...options });

  const metadata = () =>
    metadataXml({
      entityId: metadataUrl,
      ssoUrl: `${url}/sso`,
      sloUrl: `${url}/slo`,
      keys: issuer.keys(),
      wantAuthnRequestsSigned,
    });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', url);
    fetched.push(`${request.method} ${pathname}`);
    if (pathname === '/metadata')
      return void response.writeHead(200, { 'content-type': 'application/samlmetadata+xml' }).end(metadata());
    if (pathname === '/sso') return signIn(request, response);
    if (pathname === '/slo') return logOut(request, response);
    response.writeHead(404).end();
  }

  const show = (response: ServerResponse, page: string) =>
    void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);

  async function signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await readMessage(request, known.certificate);
    if (received?.root.localName !== 'AuthnRequest') throw new Error('there is no AuthnRequest');
    const question = askedSignIn(received);
    asked.push(question);
    const acsUrl = question.acsUrl || known.acsUrl;
    if (!acsUrl) throw new Error('nothing says where to answer');
    const message = await issuer.responseFor({ ...question, acsUrl });
    sent.push(message);
    const { relayState } = question;
    show(
      response,
      formPage(acsUrl, { SAMLResponse: message, ...(relayState === null ? {} : { RelayState: relayState }) }),
    );
  }

  async function logOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const received = await readMessage(request, known.certificate);
    if (!received) throw new Error('there is no message about logging out');
    const message = logoutMessage(received);
    logouts.push(message);
    if (message.kind === 'response' || known.sloUrl === null)
      return show(response, '<!doctype html><title>Signed out</title><p>Signed out.</p>');
    const reply = issuer.logoutResponse({
      inResponseTo: message.id,
      destination: known.sloUrl,
      relayState: message.relayState ?? undefined,
    });
    if (message.binding === 'post') return show(response, formPage(known.sloUrl, reply.post));
    response.writeHead(303, { location: reply.redirect }).end();
  }

  return {
    ...issuer,
    url,
    metadataUrl,
    metadataXml: metadata,
    ssoUrl: `${url}/sso`,
    sloUrl: `${url}/slo`,
    /** What was asked of `/sso`, oldest first. */
    asked,
    /** The values of SAMLResponse that `/sso` answered with, oldest first. */
    sent,
    /** What came to `/slo`, oldest first. */
    logouts,
    /** Everything that was asked for, as `GET /metadata`: what a message made its reader fetch is here too. */
    fetched,
    /** What this provider is told of a service provider: how it signs (PEM), where it is answered. */
    knows(serviceProvider: Partial<ServiceProvider>) {
      known = { ...known, ...serviceProvider };
    },
    wantsRequestsSigned(wants: boolean) {
      wantAuthnRequestsSigned = wants;
    },
    stop,
  };
}
