// Where a page sends its person to: by the domain and auth_key that it says, on to our own authorization endpoint, with
// what the page has made of its own (RFC 7636, RFC 9449 §10). The page is an ordinary public application there.
import { type EmbeddedFailure, ProblemError } from '@reeve/contracts';
import { openRoute, pagesAreFor, type Route, validate } from '@reeve/service-kit';
import type { Request, Response } from 'express';
import { z } from 'zod';
import type { BrandDirectory } from '../branding/brand-directory.ts';
import { nobodysChallenge } from '../nobodys-challenge.ts';
import { formReader, formType } from '../openid-provider/read-form.ts';
import type { BegunHere } from './begun-here.ts';
import { callbackPath, type Embed } from './embed.ts';
import type { EmbedRequests } from './embed-request.ts';
import { assertOrigin, type EmbeddingParts, findEmbedding, keyFor } from './find-embedding.ts';
import { framePage } from './frame-page.ts';
import { type HandOffs, withOutcome } from './hand-off.ts';
import { onRecord } from './on-record.ts';
import { openerPage } from './opener-page.ts';
import type { createStarts } from './starts.ts';

export type BeginParts = EmbeddingParts & {
  handOff: HandOffs;
  brands: BrandDirectory;
  requests: EmbedRequests;
  starts: ReturnType<typeof createStarts>;
  begunHere: BegunHere;
  now: () => number;
};

const readForm = formReader('8kb');
const token = z.string().regex(/^[\w-]{43}$/, 'must be 32 bytes in base64url');

/** Either all that a page has made of its own, or nothing: then a person was led here by a link. */
const ofPage = { origin: z.string().max(500), state: token, code_challenge: token, dpop_jkt: token };

const all = z
  .object({
    domain: z.string().max(200),
    auth_key: z.string().max(100),
    mode: z.enum(['popup', 'redirect', 'iframe']),
    ...ofPage,
    return_to: z
      .url()
      .max(2_000)
      .regex(/^https?:/),
    ui_locales: z.string().max(200),
    prompt: z.enum(['login', 'select_account']),
    again: z.literal('1'),
  })
  .partial();

/** Of a page that waits for what comes of it. */
const waiting = all
  .required({ domain: true, origin: true, state: true, code_challenge: true, dpop_jkt: true })
  .refine(({ mode, return_to }) => (mode === 'redirect') === (return_to !== undefined), {
    path: ['return_to'],
    message: 'is where a page that was left is come back to, and no other page is',
  });

const query = all.refine(
  asked => [0, 4].includes(Object.keys(ofPage).filter(name => Object.hasOwn(asked, name)).length),
  { path: ['state'], message: 'comes with origin, code_challenge and dpop_jkt, and they with it' },
);
type Asked = z.infer<typeof all>;

const open = 'it leads to the sign-in that a page has chosen, and grants nothing';

export function beginEmbedded(parts: BeginParts): Route[] {
  const { brands, starts, begunHere, issuer } = parts;

  /** Throws for what is not there, and for a page that is not allowed. */
  async function choose(asked: Asked): Promise<Omit<Chosen, 'begunBy'>> {
    const found = await findEmbedding(parts, asked.domain);
    const authKey = await keyFor(parts, found, asked.auth_key ?? null);
    if (asked.state !== undefined) assertOrigin(found, asked.origin);
    if (asked.return_to !== undefined) assertOrigin(found, new URL(asked.return_to).origin);
    return { authKey, embed: found.embed };
  }

  return [
    openRoute({
      method: 'get',
      path: '/embed/authorize',
      summary: 'Sign in for a page that embeds the assistant: by `domain` and `auth_key`',
      open,
      answer: 'page',
      query,
      async handle({ request, response, query: asked }) {
        // The page that has opened it is asked (opener-page.ts); what follows is cut off from it.
        response.setHeader('Cross-Origin-Opener-Policy', 'unsafe-none');
        pagesAreFor(response, async () => ({ uiLocales: asked.ui_locales ?? null }));
        const begun = async () => {
          const chosen = await choose(asked);
          return { chosen, isCounted: starts.count(request, response, { isSecond: asked.again !== undefined }) };
        };
        const { chosen, isCounted } = await onRecord(parts, metBy(parts, { request, response, asked }), begun);
        if (!isCounted)
          return { redirect: `/embed/authorize?${new URLSearchParams({ ...asked, again: '1' } as never)}` };
        const { origin, state, again: _, ...fields } = asked;
        if (origin === undefined || state === undefined)
          return { redirect: authorizationUrl(parts, asked, { ...chosen, begunBy: null }) };
        // By which the browser says of the form that it is from here.
        response.setHeader('Referrer-Policy', 'same-origin');
        return { page: openerPage({ origin, state, fields }) };
      },
    }),
    openRoute({
      method: 'post',
      path: '/embed/authorize',
      summary: 'Begin the sign-in of a page that leaves for it, or go on with that of one that waits',
      open: 'it is taken from the page that it is for, or from ours that has asked it, and marks the browser',
      answer: 'page',
      accepts: [formType],
      ownBody: true,
      async handle({ request, response }) {
        const asked = validate(waiting, Object.fromEntries(await readForm(request)), '');
        pagesAreFor(response, async () => ({ uiLocales: asked.ui_locales ?? null }));
        const isLeft = asked.mode === 'redirect';
        const chosen = await onRecord(parts, metBy(parts, { request, response, asked }), async () => {
          // Browsers say from which page a form was sent, and let no page say it otherwise.
          if (request.get('Origin') !== (isLeft ? asked.origin : new URL(issuer).origin))
            throw new ProblemError('origin_not_allowed');
          const found = await choose(asked);
          if (isLeft) starts.count(request, response, { isSecond: false });
          return found;
        });
        const begunBy = begunHere.mark(request, response);
        return { redirect: authorizationUrl(parts, asked, { ...chosen, begunBy }) };
      },
    }),
    openRoute({
      method: 'get',
      path: '/embed/frame',
      summary: 'A button inside a page, by which a person opens the sign-in where the page may open nothing',
      open,
      answer: 'page',
      query,
      async handle({ request, response, query: asked }) {
        pagesAreFor(response, async () => ({ uiLocales: asked.ui_locales ?? null }));
        const found = await onRecord(parts, metBy(parts, { request, response, asked }), async () => {
          const embedding = await findEmbedding(parts, asked.domain);
          await keyFor(parts, embedding, asked.auth_key ?? null);
          assertOrigin(embedding, asked.origin);
          return embedding;
        });
        pagesAreFor(response, async () => ({
          uiLocales: asked.ui_locales ?? null,
          brand: await brands.of(found.tenantId),
        }));
        const href = `${issuer}/embed/authorize?${new URLSearchParams(asked as Record<string, string>)}`;
        const { origin = '', state = '' } = asked;
        return { page: framePage({ href, origin, state, origins: found.embed.origins }) };
      },
    }),
  ];
}

type Came = { request: Request; response: Response; asked: Asked };

/** Of a form the browser says where it is from; a page that opens a window is known by what it says. */
function metBy({ handOff, issuer }: BeginParts, { request, response, asked }: Came) {
  const { domain, auth_key: authKey, origin = null, state, return_to: returnTo } = asked;
  const sender = request.get('Origin');
  const from = sender === undefined || sender === new URL(issuer).origin ? origin : sender;

  /** The page that waits, at once; the one that was left, when it is come back to. */
  function tellPage(error: EmbeddedFailure): Promise<void> | void {
    // Of a form from elsewhere the page knows nothing.
    if (state === undefined || origin === null || error === 'origin_not_allowed') return;
    const outcome = { error, cause: null };
    if (returnTo === undefined) return handOff.leave({ origin, state }, outcome);
    const { host, origin: leadsTo } = new URL(returnTo);
    if (leadsTo !== from) return;
    const back = { href: withOutcome(returnTo, { ...outcome, state }), name: host };
    pagesAreFor(response, async () => ({ uiLocales: asked.ui_locales ?? null, back }));
  }
  return { request, domain, authKey, origin: from, tellPage };
}

type Chosen = { authKey: string | null; embed: Embed; begunBy: string | null };

/** As long as somebody may take to sign in. */
const lastsMs = 3_600_000;

function authorizationUrl(
  { issuer, requests, now }: BeginParts,
  asked: Asked,
  { authKey, embed, begunBy }: Chosen,
): string {
  const { domain = '', origin, state, return_to: returnTo = null, prompt, ui_locales: locales } = asked;
  const page = origin !== undefined && state !== undefined ? { origin, state } : null;
  // Of a code that no page waits for nobody has the verifier.
  const { code_challenge: codeChallenge = nobodysChallenge(), dpop_jkt: jkt = nobodysChallenge() } = asked;
  const clientId = embed.applicationId ?? '';
  const until = now() + lastsMs;
  return `${issuer}/auth?${new URLSearchParams({
    client_id: clientId,
    redirect_uri: issuer + callbackPath,
    response_type: 'code',
    scope: ['openid', 'profile', 'email', ...embed.scopes].join(' '),
    state: requests.seal({ domain, page, begunBy, returnTo, clientId, codeChallenge, jkt, until }),
    code_challenge: codeChallenge,
    code_challenge_method: 'S256',
    dpop_jkt: jkt,
    tenant: domain,
    ...(embed.resource === null ? {} : { resource: embed.resource }),
    ...(authKey === null ? {} : { auth_key: authKey }),
    ...(prompt === undefined ? {} : { prompt }),
    ...(locales === undefined ? {} : { ui_locales: locales }),
  })}`;
}
