// What verifiers of our tokens keep in memory, on the compacted topic `reeve.revocations.v1`: which session is over,
// whose client is gone, which grant is void, how a person stands whose roles, groups or status changed, and which
// sign-in is asked of them for what. Each entry says until when it matters: after that every token that it could
// concern has expired.
import { z } from 'zod';
import { idSchema } from '../ids.ts';

const until = z.iso.datetime().describe('After this moment the entry matters no more');

export const revocationSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('session'),
    id: idSchema('session'),
    userId: idSchema('user'),
    statusList: z
      .object({ id: z.string(), index: z.number().int().nonnegative() })
      .optional()
      .describe('Its place in a token status list, where it has one'),
    until,
  }),
  z.object({
    kind: z.literal('user'),
    id: idSchema('user'),
    tenantId: idSchema('tenant'),
    status: z.enum(['active', 'deactivated', 'deleted']),
    roles: z.array(z.string()).describe('Those that the person has now, whatever a token says'),
    groups: z.array(z.string()).optional().describe('As roles; absent where provisioning is of before it had groups'),
    changedAt: z.iso.datetime(),
    until,
  }),
  z.object({
    kind: z.literal('client'),
    id: idSchema('client'),
    issuedBefore: z.iso
      .datetime()
      .nullable()
      .describe(
        'Its tokens are revoked whose claim `client_tokens_from` is absent or before this moment; null: all of them, ' +
          'since the client is gone',
      ),
    until,
  }),
  z.object({
    kind: z.literal('grant'),
    id: idSchema('grant').describe(
      'The claim `grant_id` of its tokens: what a person allowed an application, or a sign-in came of',
    ),
    until,
  }),
  z.object({
    kind: z.literal('step_up'),
    id: idSchema('tenant'),
    demands: z
      .array(
        z.object({
          action: z.string(),
          acrValues: z.array(z.string()).min(1).describe('Of which a token has to say one; the least of them first'),
          maxAgeSeconds: z.number().int().positive().nullable().describe('How long ago `auth_time` may be; null: any'),
        }),
      )
      .describe('For Reeve’s own services: which sign-in they ask of the people of the tenant for an action'),
    until,
  }),
]);

export type Revocation = z.infer<typeof revocationSchema>;

/** No access token of ours lives longer; with what clocks may differ. */
export const longestAccessTokenMs = 300_000;
const accessTokenMarginMs = 60_000;

/** Until when a change at that moment matters to those who hold an access token. */
export const mattersUntil = (changedAt: Date): string =>
  new Date(changedAt.getTime() + longestAccessTokenMs + accessTokenMarginMs).toISOString();

/** Of what holds until the next entry with that id. */
export const mattersAlways = '9999-12-31T23:59:59.999Z';

/** The message as the outbox of a change carries it. */
export function revocationDraft(revocation: Revocation) {
  return {
    topic: 'reeve.revocations.v1',
    key: revocation.id,
    type: `${revocation.kind}.revoked`,
    subject: `${revocation.kind}/${revocation.id}`,
    contentType: 'application/json',
    data: Buffer.from(JSON.stringify(revocation)),
  };
}
