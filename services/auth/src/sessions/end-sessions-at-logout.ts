// The provider's end ends ours (single logout): what it has the browser bring says which sessions are over.
import { type Cause, ProblemError } from '@reeve/contracts';
import { StepError } from '@reeve/relying-party';
import { causeOf, type Logger, openRoute, type Reply, type Route, searchOf } from '@reeve/service-kit';
import type { Request } from 'express';
import { atOf } from '../connections/connection.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import type { At, ConnectionKind, KindLogout } from '../connections/kinds/kind.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import { signedOutPage } from '../openid-provider/pages.ts';
import { formReader, formType } from '../openid-provider/read-form.ts';
import { end, type SessionId, type Sessions } from './session.ts';
import type { SingleLogout } from './single-logout.ts';

type Parts = {
  sessions: Sessions;
  connections: ConnectionDirectory;
  kinds: Kinds;
  singleLogout: SingleLogout;
  log: Logger;
};
type Came = { method: 'get' | 'post'; brought: string };
type Heard = { logout: KindLogout; request: Request; connectionId: string; came: Came };

const readForm = formReader('100kb');

export const endSessionsAtLogout = (parts: Parts): Route[] =>
  (Object.values(parts.kinds) as ConnectionKind[]).flatMap(({ logout }) => (logout ? routesOf(logout, parts) : []));

function routesOf(logout: KindLogout, parts: Parts): Route[] {
  const common = {
    path: logout.path('{connectionId}') as '/logout/{connectionId}',
    open: 'what the identity provider says is signed; what somebody else says ends nothing',
    answer: 'page',
  } as const;
  return [
    openRoute({
      ...common,
      method: 'get',
      summary: 'Single logout: what the identity provider says, by an address',
      handle: ({ request, params }) =>
        heard(parts, { logout, request, ...params, came: { method: 'get', brought: searchOf(request) } }),
    }),
    openRoute({
      ...common,
      method: 'post',
      summary: 'Single logout: the same, by a form',
      ownBody: true,
      accepts: [formType],
      async handle({ request, params }) {
        const brought = (await readForm(request)).toString();
        return heard(parts, { logout, request, ...params, came: { method: 'post', brought } });
      },
    }),
  ];
}

async function heard(parts: Parts, { logout, request, connectionId, came }: Heard): Promise<Reply<never>> {
  const found = await parts.connections.findAnywhere(connectionId);
  const kind: ConnectionKind | null = found && parts.kinds[found.state.kind];
  if (!found || kind?.logout !== logout) throw new ProblemError('not_found');
  const { id, tenantId, state } = found;
  const { context, correlationId } = causeOf(request, null);
  const cause: Cause = {
    actor: { type: 'identity_provider', id, name: state.name, via: 'idp' },
    context: { ...context, connectionId: id },
    correlationId,
  };
  const at = atOf(tenantId, found, cause);
  const said = await logout.read(at, came).catch((error: unknown) => {
    if (!(error instanceof StepError)) throw error;
    // In the log alone: whoever pleases may send something here.
    const { requestId } = context;
    parts.log.warn(
      { requestId, tenantId, connectionId: id, step: error.step, seen: error.seen },
      'a sign-out is refused',
    );
    throw new ProblemError('sign_out_refused', undefined, { cause: error });
  });
  if ('returnId' in said) {
    const next = await parts.singleLogout.returnFrom(said.returnId);
    return next === null ? { page: signedOutPage } : { redirect: next };
  }
  await endAll(parts.sessions, at, said.ended);
  await said.done();
  return { redirect: said.answer };
}

type Ended = { subject: string; ids: readonly string[] };

async function endAll(sessions: Sessions, { tenantId, id: connectionId, cause }: At, { subject, ids }: Ended) {
  const own = sessions.in(tenantId);
  for await (const { id, state } of own.all('byProvider', { connectionId, providerSubject: subject })) {
    const named = state.providerSession?.id ?? null;
    // Whoever signs out of one session at the provider leaves those alone who act for them.
    const isOther = named === null ? state.delegate !== undefined : !ids.includes(named);
    if (ids.length > 0 && isOther) continue;
    await own.change(id, one => one && end(id as SessionId, one, 'provider_logout'), { cause });
  }
}
