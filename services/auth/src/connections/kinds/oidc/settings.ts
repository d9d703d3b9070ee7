// What a connection by OpenID Connect is told, what is kept of it, and what is shown.
import { invalidField, ProblemError } from '@reeve/contracts';
import {
  discover,
  type Fetch,
  isOfManyDirectories,
  keyAlgorithmFor,
  type ServerMetadata,
  serverMetadata,
  takesSecrets,
} from '@reeve/relying-party';
import { z } from 'zod';
import { parsedOnce } from '../parsed-once.ts';
import { isClientKey, newClientKey, publicKeySchema } from './client-key.ts';

/** Scopes of every sign-in. */
const usualScopes = ['openid', 'email', 'profile'];
/** Microsoft's for everybody who has a personal account. */
const personalAccounts = '9188040d-6c67-4c5b-b112-36a304b66dad';

const scopeToken = z
  .string()
  .max(100)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'is no scope (RFC 6749 §3.3)')
  .refine(scope => scope !== 'offline_access', 'would give a refresh token, which nobody keeps');
const directoryId = z
  .string()
  .regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be the id of a directory, in lowercase')
  .refine(tid => tid !== personalAccounts, 'is where everybody with a personal account is');

const given = {
  issuer: z.url({ protocol: /^https?$/ }).max(500),
  clientId: z.string().min(1).max(200),
  clientSecret: z
    .string()
    .min(1)
    .max(500)
    .refine(secret => !isClientKey(secret), 'is not a secret that an identity provider gives'),
  privateKeyJwt: z.literal(true).describe('In place of a secret: a key of this connection, whose jwksUri is shown'),
  clientSecretExpiresAt: z.iso
    .datetime({ offset: true })
    .or(z.iso.date())
    .nullable()
    .describe('When the secret ends: nobody tells us, and whoever made it knows'),
  scopes: z.array(scopeToken).max(20).describe('Asked for besides openid, email and profile'),
  entraTenants: z
    .array(directoryId)
    .min(1)
    .max(100)
    .describe('Ids of the directories whose people may come, of an issuer that stands for many (Microsoft Entra)'),
};
const optional = {
  clientSecret: given.clientSecret.exactOptional(),
  privateKeyJwt: given.privateKeyJwt.exactOptional(),
  clientSecretExpiresAt: given.clientSecretExpiresAt.exactOptional(),
  scopes: given.scopes.exactOptional(),
  entraTenants: given.entraTenants.exactOptional(),
};
type Proof = { clientSecret?: string; privateKeyJwt?: true };
const isBoth = ({ clientSecret, privateKeyJwt }: Proof) => clientSecret !== undefined && privateKeyJwt !== undefined;
const isNeither = ({ clientSecret, privateKeyJwt }: Proof) => clientSecret === undefined && privateKeyJwt === undefined;
const oneOfTwo = { path: ['clientSecret'], message: 'or privateKeyJwt: one of the two' };

export const input = z
  .strictObject({ issuer: given.issuer, clientId: given.clientId, ...optional })
  .refine(proof => !isBoth(proof) && !isNeither(proof), oneOfTwo);
export const change = z
  .strictObject({ issuer: given.issuer.exactOptional(), clientId: given.clientId.exactOptional(), ...optional })
  .refine(proof => !isBoth(proof), oneOfTwo);

export const view = z.object({
  issuer: z.string(),
  clientId: z.string(),
  jwksUri: z.string().exactOptional(),
  scopes: z.array(z.string()).exactOptional(),
  entraTenants: z.array(z.string()).exactOptional(),
  clientSecretExpiresAt: z.string().exactOptional(),
});

export const settingsSchema = z.object({
  metadata: serverMetadata,
  clientId: z.string(),
  /** What the metadata was found by, where the issuer stands for many directories and has no address of its own. */
  authority: z.string().exactOptional(),
  entraTenants: z.array(z.string()).exactOptional(),
  scopes: z.array(z.string()).exactOptional(),
  /** Where it is a key, and no secret, that proves who we are. */
  clientKey: publicKeySchema.exactOptional(),
  /** ISO 8601. */
  clientSecretExpiresAt: z.string().exactOptional(),
});
export type Settings = z.infer<typeof settingsSchema>;

export const settingsOf = parsedOnce(settingsSchema);

export const authorityOf = ({ metadata, authority }: Settings): string => authority ?? metadata.issuer;

export const scopeOf = ({ scopes = [] }: Settings): string => [...new Set([...usualScopes, ...scopes])].join(' ');

type Prepared = { settings: Settings; issuer: string; secret: string | null; isReadAnew: boolean };

/** Of what was given, with what is known already. Throws ProblemError, naming the field where it is one. */
export async function prepared(asked: unknown, known: Settings | null, fetch: Fetch): Promise<Prepared> {
  const { issuer, clientId, clientSecret, privateKeyJwt, scopes, entraTenants, clientSecretExpiresAt } =
    change.parse(asked);
  const found = issuer === undefined ? undefined : await discover(issuer, { fetch, manyDirectories: true });
  const metadata = found ?? known?.metadata;
  if (!metadata) throw invalidField('oidc.issuer', 'is missing');
  // A secret that can be written and not read would be read by whoever names an issuer of their own for it.
  const isElsewhere = issuer !== undefined && known !== null && issuer !== authorityOf(known);
  if (isElsewhere && !known.clientKey && clientSecret === undefined && privateKeyJwt === undefined)
    throw invalidField('oidc.clientSecret', 'was given for another issuer');
  const directories = directoriesOf(metadata, entraTenants, known?.entraTenants);
  const byKey = privateKeyJwt ?? (clientSecret === undefined && known?.clientKey !== undefined);
  // Said again, it is another key.
  const former = privateKeyJwt ? undefined : known?.clientKey;
  const { clientKey, secret = clientSecret ?? null } = byKey ? await keyFor(metadata, former) : {};
  if ((found || clientSecret !== undefined) && !byKey && !takesSecrets(metadata))
    throw invalidField('oidc.clientSecret', 'the identity provider says that it takes no secrets');
  if (clientKey && typeof clientSecretExpiresAt === 'string')
    throw invalidField('oidc.clientSecretExpiresAt', 'there is no secret: a key proves who we are');
  const authority = issuer ?? known?.authority;
  const asScopes = scopes ?? known?.scopes;
  // Another secret does not end when the one before does, and a key does not end at all.
  const endBefore = secret === null ? known?.clientSecretExpiresAt : undefined;
  const end = clientSecretExpiresAt === undefined ? endBefore : clientSecretExpiresAt;
  const settings = settingsSchema.parse({
    metadata,
    clientId: clientId ?? known?.clientId,
    ...(directories === undefined ? {} : { authority, entraTenants: directories }),
    ...(asScopes === undefined ? {} : { scopes: asScopes }),
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(end && !clientKey ? { clientSecretExpiresAt: new Date(end).toISOString() } : {}),
  });
  return { settings, issuer: metadata.issuer, secret, isReadAnew: found !== undefined };
}

/**
 * Former settings with what proves now who we are. A secret goes to no other provider than the one that it was given
 * for: whoever had named one of their own before would read it there. Throws `rollback_needs_secret`.
 */
export function restored(former: Settings, current: Settings): Settings {
  const { clientKey: _, clientSecretExpiresAt: __, ...kept } = former;
  const { clientKey, clientSecretExpiresAt } = current;
  const fits = clientKey
    ? keyAlgorithmFor(former.metadata) === clientKey.alg
    : takesSecrets(former.metadata) && authorityOf(former) === authorityOf(current);
  if (!fits) throw new ProblemError('rollback_needs_secret', `the present one is not for ${authorityOf(former)}`);
  return {
    ...kept,
    ...(clientKey === undefined ? {} : { clientKey }),
    ...(clientSecretExpiresAt === undefined ? {} : { clientSecretExpiresAt }),
  };
}

function directoriesOf(metadata: ServerMetadata, asked: string[] | undefined, known: string[] | undefined) {
  if (isOfManyDirectories(metadata.issuer)) {
    const directories = asked ?? known;
    if (!directories)
      throw invalidField(
        'oidc.entraTenants',
        'the issuer stands for many directories: list those whose people may come, or give the issuer of one',
      );
    return directories;
  }
  if (asked) throw invalidField('oidc.entraTenants', 'the issuer stands for one directory, and needs no list');
  return undefined;
}

/** The key that was there before, if the server takes it. */
async function keyFor(metadata: ServerMetadata, former: Settings['clientKey']) {
  // Entra takes keys in certificates that are uploaded there, and reads no key set.
  const alg = isOfManyDirectories(metadata.issuer) ? null : keyAlgorithmFor(metadata);
  if (alg === null)
    throw invalidField('oidc.privateKeyJwt', 'the identity provider takes none of ES256, PS256 and RS256 by it');
  if (former?.alg === alg) return { clientKey: former, secret: null };
  const { publicKey, secret } = await newClientKey(alg);
  return { clientKey: publicKey, secret };
}
