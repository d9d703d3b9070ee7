// What a page asks by itself, from its own origin: what it needs to begin, what its sign-in came to, and to sign out.
import { causeOf, openRoute, type Route, validate } from '@reeve/service-kit';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { GrantStore } from '../openid-provider/grants.ts';
import { formReader, formType } from '../openid-provider/read-form.ts';
import { inRequestScope, requestScope } from '../openid-provider/request-scope.ts';
import { type LiveSessions, refIn } from '../sessions/live-sessions.ts';
import { assertOrigin, type EmbeddingParts, findEmbedding, keyFor } from './find-embedding.ts';
import type { HandOffs } from './hand-off.ts';
import { onRecord, record } from './on-record.ts';

export type PageParts = EmbeddingParts & {
  handOff: HandOffs;
  grants: Pick<GrantStore, 'findRefreshToken'>;
  live: Pick<LiveSessions, 'end'>;
};

const readForm = formReader('8kb');
const open = 'it is asked by pages, of which nobody is known';
const byForm = {
  method: 'post',
  open,
  answer: 'json',
  crossOrigin: 'as the handler says',
  ownBody: true,
  accepts: [formType],
} as const;

/** What a browser alone knows. */
const failure = z.strictObject({
  domain: z.string().max(200),
  auth_key: z.string().max(100).optional(),
  code: z.enum([
    'blocked_by_csp',
    'blocked_by_cors',
    'cookies_blocked',
    'frame_blocked',
    'opener_isolated',
    'popup_blocked',
    'timed_out',
  ]),
});

export function forPages(parts: PageParts): Route[] {
  const { handOff, grants, live, issuer } = parts;

  /** Of the page that asks, which the browser names. Without it the answer stays with the browser. */
  async function admitted({ request, response }: { request: Request; response: Response }, domain: string | null) {
    const origin = request.get('Origin');
    const found = await onRecord(parts, { request, domain, origin }, async () => {
      const embedding = await findEmbedding(parts, domain);
      assertOrigin(embedding, origin);
      return embedding;
    });
    response.vary('Origin').setHeader('Access-Control-Allow-Origin', String(origin));
    return { ...found, origin: String(origin) };
  }

  return [
    openRoute({
      method: 'get',
      path: '/embed/config',
      summary: 'What a page needs to begin, or why it cannot, which any page may read',
      open,
      answer: 'json',
      crossOrigin: true,
      query: z.object({ domain: z.string().max(200).optional(), auth_key: z.string().max(100).optional() }),
      response: z.object({
        clientId: z.string(),
        issuer: z.string(),
        resource: z.string().nullable(),
        mode: z.string(),
      }),
      async handle({ request, response, query }) {
        response.vary('Origin').setHeader('Access-Control-Allow-Origin', '*');
        const { domain, auth_key: authKey } = query;
        const origin = request.get('Origin');
        return onRecord(parts, { request, domain, authKey, origin }, async () => {
          const found = await findEmbedding(parts, domain);
          await keyFor(parts, found, authKey ?? null);
          assertOrigin(found, origin);
          const { resource, mode } = found.embed;
          return { body: { clientId: found.application.id, issuer, resource, mode } };
        });
      },
    }),
    openRoute({
      ...byForm,
      path: '/embed/pick-up',
      summary: 'What the sign-in of a page came to, once; nothing (204) while it goes on',
      async handle(came) {
        const form = await readForm(came.request);
        const { origin } = await admitted(came, form.get('domain'));
        const outcome = await handOff.take(form.get('state') ?? '', origin);
        return { stream: response => void (outcome ? response.json(outcome) : response.status(204).end()) };
      },
    }),
    openRoute({
      ...byForm,
      path: '/embed/failures',
      summary: 'What a page met with that is not known here: a window that was blocked, a frame that did not come up',
      async handle(came) {
        const form = await readForm(came.request);
        const { domain, auth_key: authKey, code } = validate(failure, Object.fromEntries(form), '');
        const { origin } = await admitted(came, domain);
        await record(parts, { request: came.request, domain, authKey, origin }, code);
        return { stream: response => void response.status(204).end() };
      },
    }),
    openRoute({
      ...byForm,
      path: '/embed/sign-out',
      summary: 'End the session of a page’s refresh token, with all that was got in it',
      async handle(came) {
        const form = await readForm(came.request);
        const { application } = await admitted(came, form.get('domain'));
        await inRequestScope(causeOf(came.request, null), async () => {
          const token = await grants.findRefreshToken(form.get('token') ?? '');
          const ref = token?.clientId === application.id && token.grantId ? refIn(token.grantId) : null;
          // A token that counts no more ends nothing, and is told nothing.
          if (ref && token?.consumed === undefined) await live.end(ref, 'signed_out', requestScope().cause);
          await requestScope().flush();
        });
        return { stream: response => void response.status(204).end() };
      },
    }),
  ];
}
