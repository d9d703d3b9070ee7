// A third party that a connector talks to ("Demo Calendar"): a real OAuth 2.0 authorization server over HTTP with a
// page that asks its user. A process of its own.
import { z } from 'zod';
import { escaped, page, send } from './page.ts';
import { readForm, startPeer } from './peer.ts';

const settings = z
  .object({ PORT: z.coerce.number(), CLIENT_ID: z.string(), CLIENT_SECRET: z.string(), REDIRECT_URI: z.url() })
  .parse(process.env);

const account = 'calendar-user';
const scopes = ['calendar.read', 'calendar.write'];

function consentPage(asked: readonly string[]): string {
  return page(
    'Demo Calendar',
    `<p>Allow access to your calendar?</p>
<ul>${asked.map(scope => `<li><code>${escaped(scope)}</code></li>`).join('')}</ul>
<form method="post">
<button name="answer" value="allow">Allow</button>
<button name="answer" value="deny">Deny</button>
</form>`,
  );
}

const peer = await startPeer(
  { port: settings.PORT, name: 'demo_calendar' },
  {
    scopes: ['openid', 'offline_access', ...scopes],
    clients: [
      {
        client_id: settings.CLIENT_ID,
        client_secret: settings.CLIENT_SECRET,
        redirect_uris: [settings.REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    features: {
      revocation: { enabled: true, allowedPolicy: (_, client, token) => token.clientId === client.clientId },
    },
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    interactions: { url: (_, interaction) => `/allow/${interaction.uid}` },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  },
  async (provider, request, response, url) => {
    if (!url.pathname.startsWith('/allow/')) return false;
    const details = await provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      const asked = ((details.params['scope'] as string | undefined) ?? '').split(' ');
      send(response, 200, consentPage(asked.filter(scope => scopes.includes(scope))));
      return true;
    }
    const answer = (await readForm(request)).get('answer');
    if (answer !== 'allow') {
      const denied = { error: 'access_denied', error_description: 'the user said no' };
      await provider.interactionFinished(request, response, denied, { mergeWithLastSubmission: false });
      return true;
    }
    const grant = new provider.Grant({ clientId: String(details.params['client_id']), accountId: account });
    grant.addOIDCScope(String(details.params['scope']));
    const result = { login: { accountId: account }, consent: { grantId: await grant.save() } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
    return true;
  },
);
process.once('SIGTERM', () => void peer.stop().then(() => process.exit(0)));
console.log(`demo OAuth provider at ${peer.issuer}`);
