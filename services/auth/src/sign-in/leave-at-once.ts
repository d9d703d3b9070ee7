// Whoever has to be asked nothing leaves for the identity provider with the answer to the application's request. At
// /interaction/{uid} it would begin with one more redirect, and with reading what has just been written.
import type { Response } from 'express';
import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import { requestScope } from '../openid-provider/request-scope.ts';
import { sessionOfLogin } from '../openid-provider/session-of-login.ts';
import { begun, type GoOnParts, goOn } from './go-on.ts';

/** After `finishRequests`, which writes. */
export function leaveAtOnce(provider: Provider, parts: GoOnParts): void {
  const started = new WeakSet<KoaContextWithOIDC>();
  provider.on('interaction.started', ctx => void started.add(ctx));
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    const interaction = started.has(ctx) ? ctx.oidc.entities.Interaction : undefined;
    if (!interaction || interaction.prompt.name === 'consent') return;
    const went = await goOn(parts, {
      uid: interaction.uid,
      signIn: await begun(parts, interaction),
      answer: new URLSearchParams(),
      search: '',
      returnedBy: null,
      current: async () => (ctx.oidc.session ? sessionOfLogin(ctx.oidc.session) : null),
      response: ctx.res as Response,
      params: interaction.params,
    }).catch(async (error: unknown) => {
      // The application is told why, when the person goes back to it.
      await requestScope().flush();
      throw error;
    });
    // What is to be shown is shown at a path of its own, to which its forms come back.
    if ('leaveFor' in went && typeof went.leaveFor === 'string') ctx.redirect(went.leaveFor);
  });
}
