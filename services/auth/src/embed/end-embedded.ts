// Where our authorization endpoint sends the browser back to: what came of it goes to the page that waits, or to the
// page that was left, in a fragment, which no server sees.
import { ProblemError, signInCauses } from '@reeve/contracts';
import { html, openRoute, type Page, searchOf } from '@reeve/service-kit';
import { textsIn } from '../page-texts/page-texts.ts';
import type { BegunHere } from './begun-here.ts';
import { codeOf } from './codes.ts';
import { callbackPath } from './embed.ts';
import type { EmbedRequests } from './embed-request.ts';
import { assertOrigin, type EmbeddingParts, findEmbedding } from './find-embedding.ts';
import { type HandOffs, type Outcome, withOutcome } from './hand-off.ts';
import { onRecord, record } from './on-record.ts';

export type EndParts = EmbeddingParts & {
  requests: EmbedRequests;
  handOff: HandOffs;
  begunHere: BegunHere;
  now: () => number;
};

export const endEmbedded = (parts: EndParts) =>
  openRoute({
    method: 'get',
    path: callbackPath,
    summary: 'Where a sign-in for a page that embeds the assistant comes back to',
    open: 'what it brings is of use to nobody but the page that has begun it',
    answer: 'page',
    async handle({ request }) {
      const answer = new URLSearchParams(searchOf(request));
      const asked = parts.requests.open(answer.get('state') ?? undefined);
      if (!asked || asked.until <= parts.now()) throw new ProblemError('sign_in_expired');
      const outcome = outcomeOf(answer);
      const { page, returnTo, domain, begunBy } = asked;
      const met = { request, domain, origin: page?.origin };
      if (page) {
        // As it is by now.
        await onRecord(parts, met, async () => assertOrigin(await findEmbedding(parts, domain), page.origin));
        // Of another browser: somebody was led here by whoever waits for it.
        if (begunBy === null || !parts.begunHere.isMarked(request, begunBy)) throw new ProblemError('sign_in_expired');
      }
      if ('error' in outcome && !isOnRecord(outcome))
        await record(parts, met, outcome.error === 'no_access' ? 'no_access' : 'sign_in_failed');
      if (page) {
        if (returnTo !== null) return { redirect: withOutcome(returnTo, { ...outcome, state: page.state }) };
        await parts.handOff.leave(page, outcome);
      }
      return { page: 'code' in outcome ? signedInPage : notSignedInPage };
    },
  });

function outcomeOf(answer: URLSearchParams): Outcome {
  const [code, iss] = [answer.get('code'), answer.get('iss')];
  if (code !== null && iss !== null) return { code, iss };
  const cause = answer.get('error_description');
  return { error: codeOf({ error: answer.get('error') ?? '', cause }), cause: causeIn(cause) };
}

/** What failed at a connection is there already, as `sign_in.failed`. */
const isOnRecord = ({ cause }: { cause: string | null }) => cause !== null && Object.hasOwn(signInCauses, cause);

/** A name, and no sentence of the protocol's. */
const causeIn = (text: string | null): string | null => (text !== null && /^[a-z_]{1,60}$/.test(text) ? text : null);

const signedInPage: Page = {
  words(language) {
    const text = textsIn(language);
    return { title: text('embedSignedIn'), content: html`<p>${text('embedGoBack')}</p>` };
  },
};

const notSignedInPage: Page = {
  words(language) {
    const text = textsIn(language);
    return { title: text('embedNotSignedIn'), content: html`<p>${text('embedGoBack')}</p>` };
  },
};
