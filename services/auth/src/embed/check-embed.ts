// The administrator's checklist: what can be known from here of what an embedding page needs, each by the code that a
// page would be told. What only a browser knows says so, with what to look at.
import {
  type Cause,
  type EmbeddedFailure,
  eventTypes,
  type Id,
  newEventId,
  ProblemError,
  type TenantId,
} from '@reeve/contracts';
import { tenantRoute } from '@reeve/service-kit';
import type { Clock } from '@reeve/store';
import { z } from 'zod';
import type { Connection, Connections } from '../connections/connection.ts';
import { endings } from '../connections/expiry.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import { scopesFor } from '../resource-servers/resource-server.ts';
import type { ResourceServerDirectory } from '../resource-servers/resource-server-directory.ts';
import type { IdentityResolver } from '../sign-in/identity-resolver.ts';
import { questionOf } from '../sign-in/question-of.ts';
import { type EmbedCode, embedCodes } from './codes.ts';
import { type Embed, type Embeds, noEmbed, unfit } from './embed.ts';
import type { EmbedFailures } from './embed-failure.ts';
import type { EmbeddingParts } from './find-embedding.ts';

export type CheckParts = Pick<EmbeddingParts, 'authKeys' | 'applications' | 'connections' | 'issuer'> & {
  embeds: Embeds;
  failures: EmbedFailures;
  allConnections: Connections;
  kinds: Kinds;
  resourceServers: ResourceServerDirectory;
  identities: Pick<IdentityResolver, 'find' | 'foresee'>;
  clock: Clock;
};

const check = z.object({
  code: z.string().describe('What a page is told where it does not hold'),
  about: z.string(),
  holds: z.boolean().nullable().describe('Null for what only a browser knows'),
  why: z.string(),
  whatToDo: z.string().nullable(),
});
type Check = z.infer<typeof check>;

/** A finding of what holds (or cannot be known) says nothing to do, or what to look at. */
function found(code: EmbedCode, about: string, { holds, why }: Pick<Check, 'holds' | 'why'>): Check {
  return { code, about, holds, why, whatToDo: holds === true ? null : embedCodes[code] };
}

export const checkEmbed = (parts: CheckParts) =>
  tenantRoute({
    method: 'get',
    path: '/v1/tenants/{tenantId}/embed/check',
    summary:
      'Check what embedding pages need, connection by connection; asks each identity provider whether it answers',
    action: 'connections:read',
    query: z.strictObject({ email: z.email().max(320).optional().describe('Of a person, to look for in the roster') }),
    response: z.object({ works: z.boolean(), checks: z.array(check) }),
    async handle({ tenantId, query: { email }, cause }) {
      const embed = (await parts.embeds.in(tenantId).get(tenantId))?.state ?? noEmbed;
      const keys = await parts.authKeys.of(tenantId);
      const checks = [
        found('unknown_auth_key', 'embed', {
          holds: embed.enabled,
          why: embed.enabled ? 'Embedding is enabled.' : 'Embedding is not enabled.',
        }),
        ...(await ofApplication(parts, tenantId, embed)),
        found('missing_auth_key', 'auth-keys', {
          holds: keys.has('default'),
          why: keys.has('default') ? 'There is a default key.' : 'There is no key `default`.',
        }),
        ...(await Promise.all([...keys].map(([key, id]) => ofKey(parts, { tenantId, key, id, email, cause })))).flat(),
        ...(email === undefined ? ofNobody() : []),
        ...inBrowser(parts, embed),
      ];
      await addMet(parts, tenantId, checks);
      return { body: { works: checks.every(({ holds }) => holds !== false), checks } };
    },
  });

async function ofApplication(
  { applications, resourceServers, issuer }: CheckParts,
  tenantId: TenantId,
  { applicationId: id, resource, scopes }: Embed,
): Promise<Check[]> {
  const application = id === null ? null : await applications.find(id);
  const isServed = application !== null && (await applications.serves(application, tenantId));
  if (!isServed)
    return [
      found('no_access', 'application', { holds: false, why: 'No application that serves this tenant is named.' }),
    ];
  const why = unfit(application, issuer);
  const target = resource ?? application.defaultResource;
  const server = target === null ? null : await resourceServers.find(target);
  const allowed = server && scopesFor(server, application);
  const missing = scopes.filter(scope => !allowed?.includes(scope));
  // Our own services take no scopes and are no API of the product.
  const isOpen = target !== null && (server === null ? missing.length === 0 : allowed !== null && missing.length === 0);
  const of = target ?? 'no API';
  return [
    found('redirect_uri_mismatch', `application ${application.id}`, {
      holds: why === null,
      why: why === null ? 'It is fit for embedding.' : `It ${why}.`,
    }),
    found('no_access', `application ${application.id}`, {
      holds: isOpen,
      why: isOpen
        ? `It may ask for ${of}.`
        : `It may not ask for ${of}, or not for: ${missing.join(' ') || 'anything'}.`,
    }),
  ];
}

type OfKey = { tenantId: TenantId; key: string; id: string; email: string | undefined; cause: Cause };

async function ofKey(parts: CheckParts, { tenantId, key, id, email, cause }: OfKey): Promise<Check[]> {
  const { allConnections, kinds, clock } = parts;
  const about = `auth_key ${key}`;
  const state = (await allConnections.in(tenantId).get(id))?.state;
  if (state?.status !== 'active')
    return [found('unknown_auth_key', about, { holds: false, why: 'Its connection is not active, or is gone.' })];
  const kind: ConnectionKind = kinds[state.kind];
  const wrong = await kind.test(state.settings).then(
    () => null,
    (error: unknown) => {
      if (error instanceof ProblemError) return error.message;
      throw error;
    },
  );
  const over = endings(kind.expiries(state.settings), clock.now()).filter(({ isOver }) => isOver);
  const life = (code: EmbedCode, whats: readonly string[]) => {
    const names = over.filter(({ what }) => whats.includes(what)).map(({ name, at }) => `${name}, ${at.toISOString()}`);
    return found(code, about, {
      holds: names.length === 0,
      why: names.length === 0 ? 'Nothing that is known of it is over.' : `Over: ${names.join('; ')}.`,
    });
  };
  return [
    found('unknown_auth_key', about, { holds: true, why: `It names the connection ${state.name}.` }),
    found('sign_in_failed', about, { holds: wrong === null, why: wrong ?? 'The identity provider answers.' }),
    found('redirect_uri_mismatch', about, {
      holds: null,
      why: `Compare there: ${parts.issuer}${kind.callbackPath(id)}`,
    }),
    life('secret_expired', ['client_secret']),
    life('certificate_expired', ['certificate', 'metadata', 'own_certificate']),
    ...(email === undefined
      ? []
      : await ofPerson(
          parts,
          { tenantId, connectionId: id as Id<'connection'>, connection: state, email },
          { about, cause },
        )),
  ];
}

type Sought = { tenantId: TenantId; connectionId: Id<'connection'>; connection: Connection; email: string };

const ofNobody = (): Check[] => {
  const why = 'Ask with the address of a person (`email`).';
  return [
    found('not_in_roster', 'people', { holds: null, why }),
    found('no_channel_identity', 'people', { holds: null, why }),
  ];
};

/**
 * What would become of somebody of that address who came by the connection now, with an address that is verified; and
 * what ties them to it, which is how the channel of this sign-in knows them.
 */
async function ofPerson(
  { identities, connections }: CheckParts,
  { tenantId, connectionId, connection, email }: Sought,
  { about, cause }: { about: string; cause: Cause },
): Promise<Check[]> {
  const said = (code: EmbedCode, holds: boolean | null, why: string) => found(code, about, { holds, why });
  const tied = (holds: boolean | null, why: string) => said('no_channel_identity', holds, why);
  const known = await identities.find({ tenantId, connectionId, by: { email } });
  if (known !== null)
    return [said('not_in_roster', true, `It is ${known}.`), tied(true, `They are known there as ${known}.`)];
  const come = { tenantId, id: connectionId, connection };
  const identity = { issuer: connection.issuer, subject: newEventId(), email, emailVerified: true, displayName: null };
  const question = await questionOf(connections, { ...come, identity }, cause);
  const { outcome, conflict } = await identities.foresee(question);
  const nobody = tied(null, 'There is no user who could be tied to it.');
  if (outcome === 'user_deactivated') return [said('no_access', false, 'The user is deactivated.'), nobody];
  if (outcome === 'identity_conflict') {
    const why = `Somebody has that address, and is not linked: ${conflict}.`;
    return [said('not_in_roster', true, why), tied(false, `Nothing ties them to this sign-in: ${conflict}.`)];
  }
  if (outcome === 'identity_unknown')
    return [said('not_in_roster', false, 'Nobody among the users has that address, and none is made.'), nobody];
  const whom = outcome === 'created' ? 'a new user' : 'the user who has that address';
  return [
    said('not_in_roster', true, `They would come in as ${whom}.`),
    tied(true, 'They are tied to it when they first sign in.'),
  ];
}

/** What pages have met with of late is said where its code comes first. */
async function addMet({ failures }: CheckParts, tenantId: TenantId, checks: Check[]): Promise<void> {
  for (const { id, state } of await failures.in(tenantId).getAll(eventTypes['embedded_sign_in.failed'].reasons)) {
    const { count, since, lastAt, origin, authKey } = state;
    const where = [origin, authKey && `auth_key ${authKey}`].filter(Boolean).join(', ') || 'no page that is known';
    const what = `Met ${count} times since ${since}, last at ${lastAt} (${where}).`;
    const row = checks.find(({ code }) => code === id);
    if (row) row.why += ` ${what}`;
    else checks.push(found(id as EmbeddedFailure, 'pages', { holds: null, why: what }));
  }
}

const inBrowser = ({ issuer }: CheckParts, { origins }: Embed): Check[] => [
  found('origin_not_allowed', 'embed', {
    holds: origins.length > 0,
    why: origins.length > 0 ? `Pages of ${origins.join(', ')} may embed it.` : 'No origin is allowed.',
  }),
  found('blocked_by_csp', 'pages', {
    holds: null,
    why: `Their script-src, connect-src and frame-src have to allow ${issuer}.`,
  }),
  found('blocked_by_cors', 'pages', { holds: null, why: `Answers of ${issuer} have to reach them as they are.` }),
  found('frame_blocked', 'pages', {
    holds: null,
    why: `Their frame-src has to allow ${issuer}, where the button is shown in a frame.`,
  }),
  found('popup_blocked', 'pages', {
    holds: null,
    why: 'They have to begin from a click, where a window is opened.',
  }),
  found('opener_isolated', 'pages', {
    holds: null,
    why: 'Their Cross-Origin-Opener-Policy, if they say one, has to be same-origin-allow-popups.',
  }),
  found('redirect_loop', 'pages', { holds: null, why: 'They have to begin when the person asks, or once.' }),
  found('wrong_idp', 'pages', {
    holds: null,
    why: 'Only they know whom they show themselves to, and choose the auth_key by that.',
  }),
  found('timed_out', 'people', { holds: null, why: 'They have ten minutes to sign in.' }),
  found('cookies_blocked', 'browsers', { holds: null, why: `${issuer} needs first-party cookies, and no others.` }),
];
