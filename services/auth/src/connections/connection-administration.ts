// What an administrator does to a connection, for every door by which one comes: the API, and a set-up link.
import { isDeepStrictEqual } from 'node:util';
import { type Cause, type Id, invalidField, ProblemError, type TenantId } from '@reeve/contracts';
import { type Caller, changeExisting, createOnce, readExisting } from '@reeve/service-kit';
import type { Clock, Entry } from '@reeve/store';
import { assertRoom } from '../assert-room.ts';
import type { DomainDirectory } from '../domains/domain-directory.ts';
import {
  activate,
  assertMaySpeakFor,
  type CommonSettings,
  type Connection,
  type Connections,
  draft,
  making,
  remove,
  rollBack,
  update,
} from './connection.ts';
import type { ChangeConnection } from './connection-changes.ts';
import type { ConnectionDirectory } from './connection-directory.ts';
import { numberOf, type Revisions, readRevision } from './connection-revision.ts';
import { type ConnectionSecrets, newSecretName } from './connection-secret.ts';
import { type ConnectionKind, unknownIssuer } from './kinds/kind.ts';
import type { KindName, Kinds } from './kinds/registry.ts';

type Parts = {
  connections: Connections;
  changeConnection: ChangeConnection;
  revisions: Revisions;
  directory: ConnectionDirectory;
  domains: DomainDirectory;
  kinds: Kinds;
  secrets: ConnectionSecrets;
  clock: Clock;
};

/** Who does it, to which, and which version of it they have seen. */
type Asked = {
  tenantId: TenantId;
  id: Id<'connection'>;
  caller: Pick<Caller, 'platform'>;
  cause: Cause;
  expectedVersion?: number | undefined;
  /** By a set-up link: domains, trust and roles are an administrator's, who meant the provider that it had then. */
  isSetUp?: boolean;
  /** Refused where people sign in by it. */
  keepsInUse?: boolean | undefined;
};

const mostOfATenant = 200;

/** Settings of the kind stand under its name. */
export type NewConnection = CommonSettings & { kind: KindName } & Partial<Record<KindName, unknown>>;
export type ConnectionChange = Partial<CommonSettings> & Partial<Record<KindName, unknown>>;

/** Throws `connection_in_use`. Looked at in the decision as well: it may be activated a moment before. */
export function assertMayChange({ keepsInUse = false }: Pick<Asked, 'keepsInUse'>, { status }: Connection): void {
  if (keepsInUse && status === 'active') throw new ProblemError('connection_in_use');
}

type Trust = Partial<Pick<Connection, 'domains' | 'domainProofs' | 'trustEmail'>>;

const noDomains: Trust = { domains: [], domainProofs: [] };

/** The first provider of a draft is the one that is meant. */
const isMeant = (issuer: string, { issuer: before, status }: Connection): boolean =>
  issuer === before || (status === 'draft' && before === unknownIssuer);

/** What becomes of an administrator's trust where the provider is another one now. */
function trustIn(issuer: string, connection: Connection): Trust {
  const { domains, trustEmail } = connection;
  return isMeant(issuer, connection) || (domains.length === 0 && !trustEmail)
    ? {}
    : { ...noDomains, trustEmail: false };
}

/** What names people to all connections is believed where an administrator has said so of this provider and claim. */
function identifierBySetUp(wanted: Pick<Connection, 'settings' | 'identifier'>, before: Connection) {
  if (!wanted.identifier) return wanted.identifier;
  const { acrossConnections: _, ...identifier } = wanted.identifier;
  const { acrossConnections: __, ...former } = before.identifier ?? {};
  // Other keys under the name that it had are another's, and these speak for everybody, not for a domain alone.
  const isFirst = before.status === 'draft' && before.issuer === unknownIssuer;
  const isSameProvider = isFirst || isDeepStrictEqual(wanted.settings, before.settings);
  return isSameProvider && isDeepStrictEqual(identifier, former) ? before.identifier : identifier;
}

export type ConnectionAdministration = ReturnType<typeof createConnectionAdministration>;

export function createConnectionAdministration(parts: Parts) {
  const { connections, changeConnection, revisions, directory, domains, kinds, secrets, clock } = parts;

  return {
    /** As a draft. What an earlier try of the same request has made is not made again. */
    async create({ tenantId, id, caller, cause }: Asked, body: NewConnection): Promise<Entry<Connection>> {
      const { kind, name, domains: wanted, trustEmail, contacts, jit, attributes, identifier } = body;
      // By an earlier try: another key would not be that of its settings, and its domains are its own.
      const made = await connections.in(tenantId).get(id);
      if (made) return made;
      await assertRoom(connections.in(tenantId), mostOfATenant, 'connection_limit');
      const speaking = { caller, tenantId, connectionId: null, domains: wanted, before: { domains: [] } };
      const restsOn = await assertMaySpeakFor({ connections, domains }, speaking);
      const { settings, issuer, secret } = await kinds[kind].prepare(body[kind], null);
      // The secret first: a connection without its secret could be activated, a secret without its connection harms
      // nobody.
      const secretName = newSecretName(id);
      if (secret !== null) await secrets.put({ tenantId, connectionId: id, cause }, secretName, secret);
      const at = clock.now();
      const createdAt = at.toISOString();
      const revision = making(1, 'created', { cause, at });
      const stored = { settings, issuer, secretName, secretSetAt: createdAt, createdAt, revision };
      const said = { kind, name, domains: wanted, ...restsOn, trustEmail, contacts, jit, attributes, identifier };
      const { entry } = await createOnce(connections.in(tenantId), id, draft(id, { ...said, ...stored }), { cause });
      return entry;
    },

    /** What is left out stays. */
    async change(
      { tenantId, id, caller, cause, expectedVersion, isSetUp = false, keepsInUse }: Asked,
      body: ConnectionChange,
    ): Promise<Entry<Connection>> {
      const { state, version } = await readExisting(connections.in(tenantId), id);
      // Before anything is asked of what it names.
      assertMayChange({ keepsInUse }, state);
      const given = Object.entries(body).filter(([, value]) => value !== undefined);
      const ofKind = given.filter(([name]) => name in kinds);
      const foreign = ofKind.find(([name]) => name !== state.kind);
      if (foreign) throw invalidField(foreign[0], `is not a setting of a connection of kind ${state.kind}`);
      const speaking = { caller, tenantId, connectionId: id, before: state };
      const restsOn = body.domains
        ? await assertMaySpeakFor({ connections, domains }, { ...speaking, domains: body.domains })
        : {};
      const prepared = ofKind.length > 0 ? await kinds[state.kind].prepare(body[state.kind], state.settings) : null;
      const secret = prepared?.secret ?? null;
      const isMended = prepared?.isReadAnew === true && state.refreshProblem;
      const identifier = body.identifier === undefined ? state.identifier : body.identifier;
      const wanted = { settings: prepared?.settings ?? state.settings, identifier };
      const change: Partial<Connection> = {
        ...Object.fromEntries(given.filter(([name]) => !(name in kinds))),
        ...(prepared ? { settings: prepared.settings, issuer: prepared.issuer } : {}),
        ...restsOn,
        ...(isSetUp && prepared ? trustIn(prepared.issuer, state) : {}),
        ...(isSetUp && (prepared || body.identifier !== undefined)
          ? { identifier: identifierBySetUp(wanted, state) }
          : {}),
        ...(isMended ? { refreshProblem: null } : {}),
        ...(secret === null ? {} : { secretSetAt: clock.now().toISOString() }),
      };
      const restsOnRead = prepared || body.domains || (isSetUp && body.identifier !== undefined);
      const decide = (connection: Connection) => {
        assertMayChange({ keepsInUse }, connection);
        return update(id, connection, change);
      };
      const entry = await changeConnection({ tenantId, id }, decide, {
        cause,
        because: 'updated',
        // Settings rest on those that were read, and so does what a connection speaks for: whoever changed them
        // meanwhile is not overwritten.
        expectedVersion: expectedVersion ?? (restsOnRead ? version : undefined),
        secret,
      });
      if (!entry) throw new ProblemError('not_found');
      return entry;
    },

    /**
     * A draft becomes one of another kind, as if it were new: nobody has signed in by it. Whether it makes people, and
     * with which roles, stays as an administrator has left it.
     */
    async beginAnew({ tenantId, id, cause, expectedVersion }: Asked, body: NewConnection): Promise<Entry<Connection>> {
      const { kind, name, trustEmail, attributes, identifier } = body;
      const { settings, issuer, secret } = await kinds[kind].prepare(body[kind], null);
      const said = { kind, name, trustEmail, attributes, identifier };
      const change = { ...said, settings, issuer, refreshProblem: null, secretSetAt: clock.now().toISOString() };
      const decide = (connection: Connection) => {
        if (connection.status !== 'draft') throw new ProblemError('conflict');
        return update(id, connection, { ...change, ...(connection.domains.length > 0 ? noDomains : {}) });
      };
      const options = { cause, because: 'updated', expectedVersion, secret } as const;
      const entry = await changeConnection({ tenantId, id }, decide, options);
      if (!entry) throw new ProblemError('not_found');
      return entry;
    },

    /** Throws `connection_incomplete` for what nobody can sign in by. */
    async activate({ tenantId, id, cause, expectedVersion }: Omit<Asked, 'caller'>): Promise<Entry<Connection>> {
      const decide = (connection: Connection) => {
        const kind: ConnectionKind = kinds[connection.kind];
        kind.assertComplete?.(connection.settings);
        return activate(id, connection);
      };
      const entry = await changeExisting(connections.in(tenantId), id, decide, { cause, expectedVersion });
      directory.forget(tenantId);
      return entry;
    },

    async remove({ tenantId, id, cause, expectedVersion }: Omit<Asked, 'caller'>): Promise<void> {
      const decide = (connection: Connection) => remove(id, connection, clock.now());
      await changeExisting(connections.in(tenantId), id, decide, { cause, expectedVersion });
      directory.forget(tenantId);
    },

    /** The settings of a former revision; the secret stays as it is now. */
    async rollBack(
      { tenantId, id, caller, cause, expectedVersion, isSetUp = false, keepsInUse }: Asked,
      number: number,
    ): Promise<{ entry: Entry<Connection>; secretReplacedSince: boolean }> {
      const found = await readExisting(connections.in(tenantId), id, { expectedVersion });
      const { state, version } = found;
      const isPresent = number === numberOf(state);
      const of = { tenantId, connectionId: id };
      const former = isPresent ? state : await readRevision(revisions, of, number);
      if (former.kind !== undefined && former.kind !== state.kind) throw new ProblemError('revision_unknown');
      const { name, issuer, attributes } = former;
      const { domains: speaksFor, trustEmail, jit } = isSetUp ? state : former;
      // What it spoke for then may be somebody else's by now.
      const speaking = { caller, ...of, domains: speaksFor, before: state };
      const isSame = isDeepStrictEqual(speaksFor, state.domains);
      const restsOn = isSame ? {} : await assertMaySpeakFor({ connections, domains }, speaking);
      const kind: ConnectionKind = kinds[state.kind];
      const settings = kind.restore(former.settings, state.settings);
      const wanted = { settings, identifier: former.identifier };
      const identifier = isSetUp ? identifierBySetUp(wanted, state) : former.identifier;
      const common = { name, issuer, domains: speaksFor, ...restsOn, trustEmail, jit, attributes, identifier };
      const trusts = isSetUp ? trustIn(issuer, state) : {};
      // What was read again since then failed for other settings.
      const mended = state.refreshProblem ? { refreshProblem: null } : {};
      const change = { revision: number, ...common, ...trusts, settings, ...mended };
      const decide = (was: Connection) => {
        assertMayChange({ keepsInUse }, was);
        return rollBack(id, was, change);
      };
      const entry = isPresent
        ? found
        : await changeConnection({ tenantId, id }, decide, {
            cause,
            because: 'rolled_back',
            expectedVersion: version,
          });
      if (!entry) throw new ProblemError('not_found');
      return { entry, secretReplacedSince: former.secretSetAt !== entry.state.secretSetAt };
    },
  };
}
