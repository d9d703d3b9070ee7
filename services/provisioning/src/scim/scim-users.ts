// SCIM 2.0 (RFC 7644), the part that a directory needs to create, find, deactivate and reactivate a user. Groups, PUT, bulk and the filter
// language come with the SCIM capability; until then what is not offered is refused with SCIM's own errors, never half done.
import { because, type Cause, newId, type TenantId } from '@reeve/contracts';
import { causeOf } from '@reeve/service-kit';
import { type Clock, DuplicateKeyError, type Entry, type TenantEntry } from '@reeve/store';
import express, { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import { z } from 'zod';
import { type Directories, type Directory, holdsToken } from '../directories/directory.ts';
import { add, deactivate, directoryKey, reactivate, type User, type Users } from '../users/user.ts';

type Parts = { directories: Directories; users: Users; clock: Clock; selfUrl: string };

const schemas = {
  user: 'urn:ietf:params:scim:schemas:core:2.0:User',
  list: 'urn:ietf:params:scim:api:messages:2.0:ListResponse',
  patch: 'urn:ietf:params:scim:api:messages:2.0:PatchOp',
  error: 'urn:ietf:params:scim:api:messages:2.0:Error',
};

class ScimError extends Error {
  readonly status: number;
  readonly scimType: string | undefined;

  constructor(status: number, detail: string, scimType?: string) {
    super(detail);
    this.name = 'ScimError';
    this.status = status;
    this.scimType = scimType;
  }
}

const newUser = z.object({
  schemas: z.array(z.string()).refine(list => list.includes(schemas.user), `must hold ${schemas.user}`),
  userName: z.string().trim().min(1).max(320),
  displayName: z.string().trim().min(1).max(200).optional(),
  name: z.object({ givenName: z.string().max(200).optional(), familyName: z.string().max(200).optional() }).optional(),
  emails: z.array(z.object({ value: z.email(), primary: z.boolean().optional() })).optional(),
  active: z.boolean().default(true),
});

// Entra sends "Replace" and the string "False": standards that large providers bend are met as they are sent.
const truth = z.union([
  z.boolean(),
  z
    .string()
    .regex(/^(true|false)$/i)
    .transform(text => text.toLowerCase() === 'true'),
]);
const activation = z.object({
  schemas: z.array(z.string()).refine(list => list.includes(schemas.patch), `must hold ${schemas.patch}`),
  Operations: z
    .array(
      z.union([
        z
          .object({ op: z.string().regex(/^replace$/i), path: z.literal('active'), value: truth })
          .transform(({ value }) => value),
        z
          .object({ op: z.string().regex(/^replace$/i), value: z.strictObject({ active: truth }) })
          .transform(({ value }) => value.active),
      ]),
    )
    .min(1),
});

export function scimUsers(parts: Parts): Router {
  const router = Router();
  const parse = express.json({ type: ['application/scim+json', 'application/json'], limit: '256kb' });
  router.post('/scim/v2/:directoryId/Users', parse, (request, response) => create(parts, request, response));
  router.get('/scim/v2/:directoryId/Users', (request, response) => search(parts, request, response));
  router.get('/scim/v2/:directoryId/Users/:userId', (request, response) => read(parts, request, response));
  router.patch('/scim/v2/:directoryId/Users/:userId', parse, (request, response) => patch(parts, request, response));
  router.all('/scim/v2/{*rest}', () => {
    throw new ScimError(501, 'this part of SCIM is not offered yet');
  });
  router.use('/scim/v2', answerError);
  return router;
}

async function authenticate({ directories }: Parts, request: Request): Promise<TenantEntry<Directory>> {
  const token = /^Bearer ([\w-]{20,200})$/i.exec(request.get('Authorization') ?? '')?.[1];
  const id = String(request.params['directoryId']);
  const directory = await directories.acrossTenants('a directory names only itself in its path').getByUnique('id', id);
  // One answer for an unknown directory, a missing token and a wrong one.
  if (!directory || token === undefined || !holdsToken(directory.state, token))
    throw new ScimError(401, 'the bearer token is not one of this directory');
  return directory;
}

async function create(parts: Parts, request: Request, response: Response): Promise<void> {
  const directory = await authenticate(parts, request);
  const { userName, displayName, name, emails, active } = valid(newUser, request.body);
  const id = newId('user');
  const email =
    emails?.find(({ primary }) => primary)?.value ??
    emails?.[0]?.value ??
    (z.email().safeParse(userName).success ? userName : null);
  const fullName = displayName ?? ([name?.givenName, name?.familyName].filter(Boolean).join(' ') || null);
  const user = {
    email,
    displayName: fullName,
    roles: ['tenant_member' as const],
    source: 'scim' as const,
    directory: { id: directory.id, userName },
    createdAt: parts.clock.now().toISOString(),
  };
  const cause = causeFor(request, directory);
  const users = parts.users.in(directory.tenantId);
  try {
    await users.create(id, add(id, user, because('pushed_by_directory')), cause);
  } catch (error) {
    if (error instanceof DuplicateKeyError)
      throw new ScimError(409, 'a user with this userName or address exists', 'uniqueness');
    throw error;
  }
  if (!active) await users.change(id, found => found && deactivate(id, found, 'pushed_by_directory'), { cause });
  const entry = await find(parts, directory, id);
  response.location(locationOf(parts, directory, id));
  send(response.status(201), resource(parts, directory, entry));
}

async function read(parts: Parts, request: Request, response: Response): Promise<void> {
  const directory = await authenticate(parts, request);
  send(response, resource(parts, directory, await find(parts, directory, String(request.params['userId']))));
}

async function search(parts: Parts, request: Request, response: Response): Promise<void> {
  const directory = await authenticate(parts, request);
  const filter = request.query['filter'];
  const userName = typeof filter === 'string' ? /^userName eq "((?:[^"\\]|\\.)*)"$/i.exec(filter)?.[1] : undefined;
  if (userName === undefined) throw new ScimError(400, 'the filter has to be: userName eq "…"', 'invalidFilter');
  const found = await parts.users
    .in(directory.tenantId)
    .getByUnique('directory', directoryKey(directory.id, unquoted(userName)));
  const Resources = found ? [resource(parts, directory, found)] : [];
  send(response, {
    schemas: [schemas.list],
    totalResults: Resources.length,
    itemsPerPage: Resources.length,
    startIndex: 1,
    Resources,
  });
}

async function patch(parts: Parts, request: Request, response: Response): Promise<void> {
  const directory = await authenticate(parts, request);
  const id = String(request.params['userId']);
  await find(parts, directory, id);
  const active = valid(activation, request.body).Operations.at(-1);
  const decide = (user: User | null) =>
    user && (active ? reactivate(id, user, 'pushed_by_directory') : deactivate(id, user, 'pushed_by_directory'));
  await parts.users.in(directory.tenantId).change(id, decide, { cause: causeFor(request, directory) });
  send(response, resource(parts, directory, await find(parts, directory, id)));
}

/** A directory sees the users that it pushed and no others. */
async function find({ users }: Parts, directory: TenantEntry<Directory>, id: string): Promise<Entry<User>> {
  const entry = await users.in(directory.tenantId).get(id);
  if (entry?.state.directory?.id !== directory.id) throw new ScimError(404, 'there is no such user in this directory');
  return entry;
}

const locationOf = ({ selfUrl }: Parts, directory: TenantEntry<Directory>, id: string) =>
  `${selfUrl}/scim/v2/${directory.id}/Users/${id}`;

/** A SCIM string is a JSON string (RFC 7644 §3.4.2.2). */
function unquoted(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    throw new ScimError(400, 'the filter holds a string that is not valid', 'invalidFilter');
  }
}

function resource(parts: Parts, directory: TenantEntry<Directory>, { id, state, version, changedAt }: Entry<User>) {
  return {
    schemas: [schemas.user],
    id,
    userName: state.directory?.userName,
    ...(state.displayName === null ? {} : { displayName: state.displayName }),
    ...(state.email === null ? {} : { emails: [{ value: state.email, primary: true }] }),
    active: state.status === 'active',
    meta: {
      resourceType: 'User',
      created: state.createdAt,
      lastModified: changedAt.toISOString(),
      location: locationOf(parts, directory, id),
      version: `W/"${version}"`,
    },
  };
}

function causeFor(request: Request, { id, state }: { id: string; tenantId: TenantId; state: Directory }): Cause {
  return { ...causeOf(request, null), actor: { type: 'client', id, name: state.name, via: 'client' } };
}

function valid<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ScimError(
    400,
    `${issue?.path.join('.') || 'the body'}: ${issue?.message ?? 'is not valid'}`,
    'invalidValue',
  );
}

function send(response: Response, body: object): void {
  response.type('application/scim+json').send(JSON.stringify(body));
}

const answerError: ErrorRequestHandler = (error: unknown, _request, response, next) => {
  const known =
    error instanceof ScimError
      ? error
      : (error as { type?: string } | null)?.type === 'entity.parse.failed'
        ? new ScimError(400, 'the body is not valid JSON', 'invalidSyntax')
        : null;
  if (!known) return next(error);
  if (known.status === 401) response.setHeader('WWW-Authenticate', 'Bearer');
  const { status, message: detail, scimType } = known;
  return send(response.status(status), {
    schemas: [schemas.error],
    status: String(status),
    detail,
    ...(scimType === undefined ? {} : { scimType }),
  });
};
