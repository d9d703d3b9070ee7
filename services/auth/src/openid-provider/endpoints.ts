// The endpoints of the protocols, as declared routes. What they accept and answer is the standards' and the library's
// business; here stands where they are, that they are open to everybody, and what is done on the way in: hashes for
// secrets, and a GET for a POST.
import { openRoute, type Route } from '@reeve/service-kit';
import type { Request } from 'express';
import type { SignInRecords } from '../sign-in/sign-in.ts';
import { type SecretParts, withHashedSecret } from './client-secrets.ts';
import { formReader, formType } from './read-form.ts';
import type { Serve } from './serve.ts';

type Parts = SecretParts & {
  serving: Serve;
  signIns: SignInRecords;
  /** Lets a page of a tenant read the answer, which says whose it is by `domain`. */
  admitPage: (request: Request) => Promise<void>;
};

const readForm = formReader('56kb');

export function providerEndpoints({ serving: { serve }, signIns, admitPage, ...secrets }: Parts): Route[] {
  const { wrongGuesses } = secrets;
  const route = (method: 'get' | 'post', path: string, summary: string, more: Partial<Route> = {}) =>
    openRoute({
      method,
      path,
      summary,
      open: 'the protocol says how whoever comes is known',
      answer: 'bytes',
      ownBody: true,
      accepts: [formType],
      handle: ({ request }) => Promise.resolve(serve(request)),
      ...more,
    } as Parameters<typeof openRoute>[0]);

  /** Applications authenticate here, with what is turned into hashes. */
  const forClients = (path: string, summary: string, more: Partial<Route> = {}) =>
    route('post', path, summary, {
      ...more,
      async handle({ request }) {
        // What is no form the library refuses in the protocol's own words.
        if (!request.is(formType)) return serve(request);
        const inPlace = await withHashedSecret(request, await readForm(request), secrets);
        return serve(request, { inPlace, before: () => admitPage(request) });
      },
    });

  /** Cookies come along with a GET of another site and not with a POST: so it becomes one. */
  const asGet = (path: string, summary: string) =>
    route('post', path, summary, {
      answer: 'redirect',
      handle: async ({ request }) => ({ redirect: `${path}?${await readForm(request)}` }),
    });

  /** The pages of an application, whose origins the provider knows. */
  const fromPages = { crossOrigin: 'as the handler says' } as const;
  const readable = { crossOrigin: true, answer: 'json' } as const;
  return [
    route('get', '/.well-known/openid-configuration', 'What this issuer is (OpenID Connect Discovery)', readable),
    route('get', '/.well-known/oauth-authorization-server', 'What this issuer is (RFC 8414)', readable),
    route('get', '/jwks', 'The keys that tokens are signed with', readable),
    route('get', '/auth', 'Begin to sign in (OpenID Connect Core §3.1.2)', { answer: 'page' }),
    asGet('/auth', 'The same, by a form'),
    route('get', '/auth/{uid}', 'Go back to the application after signing in', {
      answer: 'page',
      handle: async ({ request }) => serve(request, { before: () => signIns.takeUp(String(request.params['uid'])) }),
    }),
    forClients('/device/auth', 'Have somebody sign in for a device (RFC 8628 §3.1)', fromPages),
    route('get', '/device', 'Where a person types the code of a device', { answer: 'page' }),
    route('post', '/device', 'The same, with the code, and whether the device is theirs', {
      answer: 'page',
      async handle({ request }) {
        await wrongGuesses.assertMayGuess('device_code', request);
        const served = serve(request);
        return {
          async stream(response) {
            if ('stream' in served) await served.stream(response);
            if (response.statusCode === 400) await wrongGuesses.wasWrong('device_code', request);
          },
        };
      },
    }),
    route('get', '/device/{uid}', 'Go on with a device after signing in', {
      answer: 'page',
      handle: async ({ request }) => serve(request, { before: () => signIns.takeUp(String(request.params['uid'])) }),
    }),
    forClients('/request', 'Push an authorization request (RFC 9126)'),
    forClients('/token', 'Get tokens (RFC 6749 §3.2)', fromPages),
    forClients('/token/introspection', 'Whether a token counts (RFC 7662)'),
    forClients('/token/revocation', 'Revoke a token (RFC 7009)', fromPages),
    route('get', '/me', 'Who the bearer of an access token is (OpenID Connect Core §5.3)', {
      answer: 'json',
      ...fromPages,
    }),
    route('post', '/me', 'The same, by a form', { answer: 'json', ...fromPages }),
    route('get', '/session/end', 'Sign out (OpenID Connect RP-Initiated Logout)', { answer: 'page' }),
    asGet('/session/end', 'The same, by a form'),
    route('post', '/session/end/confirm', 'Sign out, confirmed by the person', { answer: 'page' }),
    route('get', '/session/end/success', 'Signed out', { answer: 'page' }),
  ];
}
