// The provider's answers, on our terms: a scope for the request, the issuer's own host, and our content security
// policy.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { causeOf, contentSecurityPolicy, type Reply } from '@reeve/service-kit';
import type { Request } from 'express';
import type { Interaction, default as Provider } from 'oidc-provider';
import { inPlaceOf } from './in-place.ts';
import { inRequestScope, requestScope, withinScope } from './request-scope.ts';

export type Serve = ReturnType<typeof createServe>;

type InPlace = { inPlace?: IncomingMessage; before?: () => Promise<void> };

/** `provider` is the one of now. */
export function createServe({ provider, issuer }: { provider: () => Provider; issuer: string }) {
  const { host } = new URL(issuer);
  let served: { provider: Provider; handler: ReturnType<Provider['callback']> } | undefined;

  function handlerNow() {
    const now = provider();
    if (served?.provider !== now) served = { provider: now, handler: now.callback() };
    return served.handler;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The library builds the URLs of its endpoints from the Host header: it is told the issuer's, whatever the request
    // said.
    request.headers.host = host;
    delete request.headers['x-forwarded-host'];
    // Its forms end at an application's callback, and to the script that submits one of them it adds the hash itself.
    response.setHeader('Content-Security-Policy', contentSecurityPolicy({ formAction: 'anywhere' }));
    await handlerNow()(request, response);
    requestScope().throwFailure();
  }

  return {
    /** To this request, or to one that takes its place. */
    serve: (request: Request, { inPlace = request, before }: InPlace = {}): Reply<never> => ({
      stream: response =>
        inRequestScope(causeOf(request, null), async () => {
          await before?.();
          await handle(inPlace, response);
        }),
    }),

    /**
     * What the browser would get at the provider's own path for that interaction, without being sent there. For a
     * request that has shown its cookie, and alone goes on with it.
     */
    goBack(request: Request, { uid, returnTo }: Pick<Interaction, 'uid' | 'returnTo'>): Reply<never> {
      const scope = requestScope();
      scope.goOnWith(uid);
      const inPlace = inPlaceOf(request, { method: 'GET', url: new URL(returnTo).pathname });
      return { stream: response => withinScope(scope, () => handle(inPlace, response)) };
    },
  };
}
