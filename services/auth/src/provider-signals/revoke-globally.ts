// Global token revocation (draft-parecki-oauth-global-token-revocation-06), as Okta's Universal Logout asks for it: all
// sessions of a person end, and with them whatever was issued in them.
import { ProblemError, parseJson } from '@reeve/contracts';
import { openRoute, validate } from '@reeve/service-kit';
import { z } from 'zod';
import { textReader } from '../read-text.ts';
import { authenticateRevoker, type RevokerParts } from './authenticate-revoker.ts';
import type { EndSessionsOf } from './end-sessions.ts';
import { globalTokenRevocationPath } from './revocation-assertion.ts';
import { subjectSchema } from './subject.ts';

const body = z.strictObject({ sub_id: subjectSchema.describe('Whose (RFC 9493): `email`, `iss_sub` or `opaque`') });
const readJson = textReader('application/json', '16kb');

type Parts = Omit<RevokerParts, 'audience'> & { endSessionsOf: EndSessionsOf; issuer: string };

export const revokeGlobally = ({ endSessionsOf, issuer, ...parts }: Parts) =>
  openRoute({
    method: 'post',
    path: globalTokenRevocationPath,
    summary: 'End all sessions of a person, with their tokens, by the word of their identity provider',
    open: 'an identity provider proves who it is by what it has signed; everybody else by an access token',
    answer: 'json',
    body,
    ownBody: true,
    status: 204,
    async handle({ request }) {
      const audience = issuer + globalTokenRevocationPath;
      const { speaksFor, release } = await authenticateRevoker({ ...parts, audience }, request);
      try {
        const { sub_id: subject } = validate(body, asJson(await readJson(request)), '');
        const at = parts.clock.now();
        let isKnown = false;
        for (const { connection, cause } of speaksFor) {
          const asked = { subject, because: 'global_token_revocation', cause, at } as const;
          if (await endSessionsOf(connection, asked)) isKnown = true;
        }
        if (!isKnown) throw new ProblemError('subject_unknown');
      } catch (error) {
        if (!(error instanceof ProblemError) || error.status >= 500) await release();
        throw error;
      }
      return { body: undefined };
    },
  });

function asJson(text: string): unknown {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new ProblemError('body_malformed', undefined, { cause });
  }
}
