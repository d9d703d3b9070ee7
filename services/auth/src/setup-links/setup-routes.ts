// The pages of a set-up link. The link in the path is a secret that no other site knows, so that nobody else can send
// these forms; a test comes back to a path without it, with the link in a cookie of that path.
import { type Cause, invalidField, ProblemError } from '@reeve/contracts';
import {
  causeOf,
  openRoute,
  pagesAreFor,
  type Reply,
  type Route,
  readExisting,
  searchOf,
  type TenantDirectory,
} from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import type { BrandDirectory } from '../branding/brand-directory.ts';
import { type ConnectionTests, hasPassed, isOfNow } from '../connection-tests/connection-test.ts';
import { type TestSignIn, testReturnPath } from '../connection-tests/test-sign-in.ts';
import {
  type Connection,
  type Connections,
  type ConnectionView,
  type ViewParts,
  viewOf,
} from '../connections/connection.ts';
import {
  assertMayChange,
  type ConnectionAdministration,
  type NewConnection,
} from '../connections/connection-administration.ts';
import { formerRevisions, numberOf, type Revisions } from '../connections/connection-revision.ts';
import type { ConnectionKind } from '../connections/kinds/kind.ts';
import type { KindName } from '../connections/kinds/registry.ts';
import type { RehearseChange } from '../connections/rehearse-change.ts';
import { formReader, formType } from '../openid-provider/read-form.ts';
import type { Guide, OurValue } from '../setup/guide.ts';
import { guides } from '../setup/guides.ts';
import type { FindLink } from './find-link.ts';
import { contactsIn, filledIn, mappingIn, newConnection, settingsIn, withoutSecrets } from './setup-forms.ts';
import { linkPath, type OpenLink, type SetupLink, type SetupLinks, use } from './setup-link.ts';
import { kindOf, type Sent, type SetupState, setupPage } from './setup-page.ts';

type Parts = ViewParts & {
  links: SetupLinks;
  findLink: FindLink;
  administration: ConnectionAdministration;
  connections: Connections;
  revisions: Revisions;
  tests: ConnectionTests;
  testSignIn: TestSignIn;
  rehearseChange: RehearseChange;
  tenants: TenantDirectory;
  brands: BrandDirectory;
  isMailSent: boolean;
  clock: Clock;
};
type Came = { request: Request; response: Response };
/** Somebody with a link that counts, who has sent a form of its page. */
type Acting = Came & { link: OpenLink; cause: Cause; given: Record<string, string> };

const path = '/setup/{setupLink}';
const open = 'the link is the proof: its holder sets up the one connection that it is for';
/** With the metadata of a provider. */
const readForm = formReader('300kb');
const cookieName = 'reeve_setup';
const cookieMs = 900_000;

export function setupRoutes(parts: Parts): Route[] {
  const form = (
    name: 'guide' | 'settings' | 'mapping' | 'rehearse' | 'test' | 'activate' | 'contacts' | 'rollback',
    summary: string,
    act: (parts: Parts, acting: Acting) => Promise<Reply<never> | null>,
  ) =>
    openRoute({
      method: 'post',
      path: `${path}/${name}`,
      summary,
      open,
      answer: 'page',
      ownBody: true,
      accepts: [formType],
      async handle({ request, response, params: { setupLink } }) {
        await entered(parts, { request, response }, setupLink);
        const sentForm = await readForm(request);
        // Once more: whoever is slow to send it may have waited until the link ended.
        const link = await entered(parts, { request, response }, setupLink);
        let given: Acting['given'] = {};
        try {
          given = filledIn(sentForm);
          const acting = { request, response, link, cause: causeBy(request, link), given };
          return (await act(parts, acting)) ?? { redirect: linkPath(setupLink) };
        } catch (error) {
          const messages = complaintsIn(error);
          if (messages === null) throw error;
          const sent = { given: withoutSecrets(given), complaint: messages, rehearsal: null };
          return { page: setupPage(await stateOf(parts, link, sent)) };
        }
      },
    });
  return [
    openRoute({
      method: 'get',
      path,
      summary: 'The page by which an admin of a customer sets up a connection, by its link',
      open,
      answer: 'page',
      async handle({ request, response, params: { setupLink } }) {
        const link = await entered(parts, { request, response }, setupLink);
        return { page: setupPage(await stateOf(parts, link, null)) };
      },
    }),
    form('guide', 'Choose the identity provider', chooseGuide),
    form('settings', 'Set what the identity provider gives', saveSettings),
    form('mapping', 'Set by which attributes people are known', saveMapping),
    form('rehearse', 'What such a change would have done to the sign-ins of the last week', rehearseMapping),
    form('test', 'Begin a sign-in that is a test', beginTest),
    form('activate', 'Let people sign in by it, once a test has passed', activateTested),
    form('contacts', 'Set who is told before something of the connection ends', saveContacts),
    form('rollback', 'Go back to earlier settings', rollBackTo),
    openRoute({
      method: 'get',
      path: testReturnPath('{testId}', '{connectionId}') as '/setup-tests/{testId}/return/{connectionId}',
      summary: 'What the identity provider answered in a test',
      open: 'a cookie of the path holds the link by which the test was begun',
      answer: 'page',
      async handle({ request, response, params: { testId, connectionId } }) {
        const token = parseCookie(request.get('Cookie') ?? '')[cookieName];
        if (token === undefined) throw new ProblemError('sign_in_expired');
        const link = await entered(parts, { request, response }, token);
        const of = { tenantId: link.tenantId, connectionId, linkId: link.id, cause: causeBy(request, link) };
        await parts.testSignIn.finish(testId, { ...of, search: searchOf(request) });
        return { redirect: `${linkPath(token)}#test` };
      },
    }),
  ];
}

/** Throws `setup_link_over`. Pages that come of it are the tenant's. */
async function entered(parts: Parts, { response }: Came, token: string): Promise<OpenLink> {
  const { findLink, brands } = parts;
  const link = await findLink(token);
  await connectionOf(parts, link);
  pagesAreFor(response, async () => ({ brand: await brands.of(link.tenantId) }));
  return link;
}

/** Null where none was made yet. Throws `setup_link_over` where one was, and is not there any more. */
async function connectionOf({ connections }: Parts, { tenantId, state }: OpenLink): Promise<Entry<Connection> | null> {
  const entry = await connections.in(tenantId).get(state.connectionId);
  // Another one by the same id would have the people of the one that was deleted.
  if (!entry && state.isMade) throw new ProblemError('setup_link_over');
  return entry;
}

function causeBy(request: Request, { id, state }: OpenLink): Cause {
  const { context, ...cause } = causeOf(request, null);
  const actor = { type: 'client', id, name: state.name, via: 'client' } as const;
  return { ...cause, actor, context: { ...context, connectionId: state.connectionId, clientId: id } };
}

/** What of a failure belongs on the form, in words; null for what does not. */
function complaintsIn(error: unknown): string[] | null {
  if (!(error instanceof ProblemError) || !onForms.has(error.code)) return null;
  return error.errors?.map(({ field, message }) => `${field} ${message}`) ?? [error.message];
}

const onForms = new Set<string>([
  'input_invalid',
  'connection_limit',
  'connection_unreachable',
  'connection_in_use',
  'connection_incomplete',
  'metadata_invalid',
  'metadata_moved',
  'url_refused',
  'revision_unknown',
]);

async function stateOf(parts: Parts, { tenantId, token, state: link }: OpenLink, sent: Sent | null) {
  const { connectionId } = link;
  const found = await parts.connections.in(tenantId).get(connectionId);
  const fitting = guides.filter(one => mayChoose(link, found?.state ?? null, one));
  const chosen = link.guide ?? (found && `generic-${found.state.kind}`);
  const guide = guides.find(({ id }) => id === chosen) ?? null;
  // A draft of another protocol is there until the settings of the one that was chosen are.
  const entry = found && (guide === null || found.state.kind === kindOf(guide)) ? found : null;
  const connection = entry && viewOf(entry, parts);
  const of = { tenantId, connectionId };
  const kept = entry ? await formerRevisions(parts.revisions, of, numberOf(entry.state)) : [];
  const former = kept.filter(({ kind = entry?.state.kind }) => kind === entry?.state.kind);
  const test = (await parts.tests.in(tenantId).get(connectionId))?.state ?? null;
  const isWhole = entry !== null && isComplete(parts, entry.state);
  const state: SetupState = {
    path: linkPath(token),
    expiresAt: link.expiresAt,
    guides: fitting,
    guide,
    connection,
    ours: guide ? oursOf(parts, { kind: kindOf(guide), connectionId, connection }) : {},
    issuer: isWhole ? entry.state.issuer : null,
    isComplete: isWhole,
    test,
    isTestOfNow: entry !== null && isOfNow(test, entry.state),
    isTested: entry !== null && hasPassed(test, entry.state),
    isMailSent: parts.isMailSent,
    isKept: entry?.state.status === 'active' && !link.changesInUse,
    former: former.map(({ number, making }) => ({ number, at: making?.at ?? null })),
    sent,
  };
  return state;
}

/** Another kind is another connection, which only a link without one may begin, and while nobody signs in by it. */
const mayChoose = (link: SetupLink, connection: Pick<Connection, 'kind' | 'status'> | null, guide: Guide): boolean =>
  connection === null || connection.kind === kindOf(guide) || (link.isForNew && connection.status === 'draft');

function isComplete({ kinds }: Parts, { kind: name, settings }: Connection): boolean {
  const kind: ConnectionKind = kinds[name];
  try {
    kind.assertComplete?.(settings);
    return true;
  } catch (error) {
    if (error instanceof ProblemError) return false;
    throw error;
  }
}

type Ours = { kind: KindName; connectionId: string; connection: ConnectionView | null };

/** What goes to the provider; that of OpenID Connect is known before there is a connection. */
function oursOf({ kinds, ownIssuer }: Parts, { kind, connectionId, connection }: Ours): SetupState['ours'] {
  const redirectUri = ownIssuer + kinds[kind].callbackPath(connectionId);
  const shown = (connection?.[kind] ?? {}) as Record<string, unknown>;
  const of = (name: OurValue, value: unknown) => (typeof value === 'string' ? { [name]: value } : {});
  return {
    redirectUri,
    ...of('jwksUri', shown['jwksUri']),
    ...of('spEntityId', shown['spEntityId']),
    ...of('spMetadataUrl', shown['spMetadataUrl']),
    ...of('spCertificates', [shown['spCertificates']].flat()[0]),
    ...(kind === 'saml' ? { logoutUrl: redirectUri.replace(/acs$/, 'slo') } : {}),
  };
}

/** That of the link, as whoever administers it is asked for. */
const asked = ({ link: { tenantId, state }, cause }: Acting) => ({
  tenantId,
  id: state.connectionId,
  caller: { platform: false },
  cause,
  isSetUp: true,
  keepsInUse: !state.changesInUse,
});

/** Something is done by the link. Throws `setup_link_over` where it was revoked meanwhile. */
async function used({ links, clock }: Parts, { link, cause }: Acting, change: Partial<SetupLink> = {}): Promise<void> {
  const { tenantId, id } = link;
  const decide = (was: SetupLink | null) => {
    if (was?.revokedAt !== null) throw new ProblemError('setup_link_over');
    // By another request, a moment ago.
    if (change.isMade && was.isMade) throw new ProblemError('conflict');
    return use(id, was, clock.now(), change);
  };
  const entry = await links.in(tenantId).change(id, decide, { cause });
  if (entry) link.state = entry.state;
}

/**
 * Said before there is one, and by one request alone: whatever ends in between, no second one is ever made by that id.
 */
async function createConnection(parts: Parts, acting: Acting, body: NewConnection): Promise<void> {
  await used(parts, acting, { isMade: true });
  try {
    await parts.administration.create(asked(acting), body);
  } catch (error) {
    // Refused, and so not made.
    const { tenantId, state } = acting.link;
    const isThere = (await parts.connections.in(tenantId).get(state.connectionId)) !== null;
    if (error instanceof ProblemError && !isThere) await used(parts, acting, { isMade: false });
    throw error;
  }
}

async function chooseGuide(parts: Parts, acting: Acting): Promise<null> {
  const { link, given } = acting;
  const guide = guides.find(({ id }) => id === given['guide']);
  if (!guide) throw invalidField('guide', 'is none of those that are offered');
  const entry = await connectionOf(parts, link);
  if (!mayChoose(link.state, entry?.state ?? null, guide)) throw invalidField('guide', 'is of another protocol');
  await used(parts, acting, { guide: guide.id });
  // A SAML provider wants our metadata before it says anything of itself.
  if (kindOf(guide) !== 'saml' || entry?.state.kind === 'saml') return null;
  if (entry) await parts.administration.beginAnew(anew(acting, entry), newConnection(guide, {}));
  else await createConnection(parts, acting, newConnection(guide, {}));
  return null;
}

/** Nobody has activated it meanwhile, or changed it in another way. */
const anew = (acting: Acting, { version: expectedVersion }: Entry<Connection>) => ({
  ...asked(acting),
  expectedVersion,
});

async function saveSettings(parts: Parts, acting: Acting): Promise<null> {
  const { link, given } = acting;
  const guide = guides.find(({ id }) => id === link.state.guide);
  const entry = await connectionOf(parts, link);
  const chosen = guide ?? guides.find(({ id }) => id === `generic-${entry?.state.kind}`);
  if (!chosen) throw invalidField('guide', 'is not chosen yet');
  const isAnother = entry !== null && entry.state.kind !== kindOf(chosen);
  if (isAnother && !mayChoose(link.state, entry.state, chosen)) throw invalidField('guide', 'is of another protocol');
  const settings = settingsIn(chosen, given, { kinds: parts.kinds, isNew: entry === null || isAnother });
  if (isAnother) {
    await used(parts, acting);
    await parts.administration.beginAnew(anew(acting, entry), newConnection(chosen, settings));
    return null;
  }
  if (!entry) {
    await createConnection(parts, acting, newConnection(chosen, settings));
    return null;
  }
  await used(parts, acting);
  await parts.administration.change(asked(acting), { [entry.state.kind]: settings });
  return null;
}

async function saveMapping(parts: Parts, acting: Acting): Promise<null> {
  const { link, given } = acting;
  const { state } = await readExisting(parts.connections.in(link.tenantId), link.state.connectionId);
  const change = mappingIn(given, state);
  await used(parts, acting);
  await parts.administration.change(asked(acting), change);
  return null;
}

async function rehearseMapping(parts: Parts, { link, given }: Acting): Promise<Reply<never>> {
  const entry = await readExisting(parts.connections.in(link.tenantId), link.state.connectionId);
  assertMayChange({ keepsInUse: !link.state.changesInUse }, entry.state);
  const rehearsal = await parts.rehearseChange(link.tenantId, entry, mappingIn(given, entry.state));
  return { page: setupPage(await stateOf(parts, link, { given, complaint: null, rehearsal })) };
}

async function beginTest({ testSignIn, ownIssuer }: Parts, { link, cause, response }: Acting): Promise<Reply<never>> {
  const { tenantId, id: linkId, token, state } = link;
  const { connectionId } = state;
  const { testId, leaveFor } = await testSignIn.begin({ tenantId, connectionId, linkId, cause });
  response.cookie(cookieName, token, {
    httpOnly: true,
    secure: ownIssuer.startsWith('https:'),
    // The provider sends the browser back.
    sameSite: 'lax',
    path: testReturnPath(testId, connectionId),
    maxAge: cookieMs,
  });
  return typeof leaveFor === 'string' ? { redirect: leaveFor } : { page: leaveFor };
}

async function activateTested(parts: Parts, acting: Acting): Promise<null> {
  const { tenantId, state } = acting.link;
  const { state: connection, version } = await readExisting(parts.connections.in(tenantId), state.connectionId);
  const test = (await parts.tests.in(tenantId).get(state.connectionId))?.state ?? null;
  if (connection.status !== 'active' && !hasPassed(test, connection)) throw new ProblemError('connection_untested');
  await used(parts, acting);
  await parts.administration.activate({ ...asked(acting), expectedVersion: version });
  return null;
}

async function saveContacts(parts: Parts, acting: Acting): Promise<null> {
  const change = contactsIn(acting.given);
  await used(parts, acting);
  // Who is told of what ends soon is nothing that a sign-in rests on.
  await parts.administration.change({ ...asked(acting), keepsInUse: false }, change);
  return null;
}

async function rollBackTo(parts: Parts, acting: Acting): Promise<null> {
  const number = Number(acting.given['revision']);
  if (!Number.isSafeInteger(number) || number < 1) throw invalidField('revision', 'is none');
  await used(parts, acting);
  await parts.administration.rollBack(asked(acting), number);
  return null;
}
