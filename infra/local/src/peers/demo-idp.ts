// A company's identity provider, for the demo and the tests: a real OpenID provider over HTTP with a login form. A
// process of its own. It trusts any callback of the local Reeve, since a connection's id is not known when this
// starts.
import { z } from 'zod';
import { type DemoUser, loginPage } from './demo-idp-pages.ts';
import { send } from './page.ts';
import { readForm, startPeer } from './peer.ts';

const settings = z
  .object({
    PORT: z.coerce.number(),
    CLIENT_ID: z.string(),
    CLIENT_SECRET: z.string(),
    REDIRECT_ORIGIN: z.url(),
    USERS: z.string().transform(text => JSON.parse(text) as DemoUser[]),
  })
  .parse(process.env);

const subjectOf = (user: DemoUser) => `idp|${user.email}`;

const callbacks = new RegExp(`^${settings.REDIRECT_ORIGIN.replaceAll('.', '\\.')}/oidc/con_[0-9a-f-]{36}/callback$`);

const peer = await startPeer(
  { port: settings.PORT, name: 'demo_idp', callbacks },
  {
    clients: [
      {
        client_id: settings.CLIENT_ID,
        client_secret: settings.CLIENT_SECRET,
        redirect_uris: [`${settings.REDIRECT_ORIGIN}/oidc/any/callback`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'given_name', 'family_name'] },
    conformIdTokenClaims: false,
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/login/${interaction.uid}` },
    findAccount: (_, sub) => {
      const user = settings.USERS.find(one => subjectOf(one) === sub);
      if (!user) return undefined;
      const { email, givenName, familyName } = user;
      const claims = {
        sub,
        email,
        email_verified: true,
        name: `${givenName} ${familyName}`,
        given_name: givenName,
        family_name: familyName,
      };
      return { accountId: sub, claims: () => claims };
    },
    async loadExistingGrant(ctx) {
      const { client, account, provider, requestParamOIDCScopes } = ctx.oidc;
      if (!client || !account) return undefined;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: account.accountId });
      grant.addOIDCScope([...requestParamOIDCScopes].join(' '));
      await grant.save();
      return grant;
    },
  },
  async (provider, request, response, url) => {
    if (!url.pathname.startsWith('/login/')) return false;
    await provider.interactionDetails(request, response);
    if (request.method !== 'POST') {
      send(response, 200, loginPage(settings.USERS));
      return true;
    }
    const given = await readForm(request);
    const email = given.get('email') ?? '';
    const user = settings.USERS.find(one => one.email === email && one.password === given.get('password'));
    if (!user) {
      send(response, 401, loginPage(settings.USERS, { email }));
      return true;
    }
    await provider.interactionFinished(
      request,
      response,
      { login: { accountId: subjectOf(user), amr: ['pwd'] } },
      { mergeWithLastSubmission: false },
    );
    return true;
  },
);
process.once('SIGTERM', () => void peer.stop().then(() => process.exit(0)));
console.log(`demo identity provider at ${peer.issuer}`);
