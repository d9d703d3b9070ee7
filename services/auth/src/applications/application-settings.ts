// What an application may be: its kinds, and what goes together.
import { areas } from '@reeve/access';
import { idSchema } from '@reeve/contracts';
import { z } from 'zod';
import { assertPlainUrl } from '../plain-url.ts';
import { scopeText } from '../resource-servers/exchange-policy.ts';
import { isPublicKeySet } from './client-keys.ts';

const grantType = z.enum([
  'client_credentials',
  'authorization_code',
  'refresh_token',
  'device_code',
  'token_exchange',
  'jwt_bearer',
]);
export type GrantType = z.infer<typeof grantType>;

const authenticationMethods = ['client_secret', 'private_key_jwt', 'none'] as const;
type AuthenticationMethod = (typeof authenticationMethods)[number];

type Kind = {
  grantTypes: readonly [GrantType, ...GrantType[]];
  /** Those that it has unless it says otherwise. */
  usualGrantTypes: readonly [GrantType, ...GrantType[]];
  /** How it proves which application it is; the first unless it says otherwise. */
  authentication: readonly [AuthenticationMethod, ...AuthenticationMethod[]];
};

const signsPeopleIn = ['authorization_code', 'refresh_token'] as const;

/** An application on people's own devices keeps no secret: it is known by where people are sent back to. */
export const kinds = {
  /** With a server of its own. */
  web: {
    grantTypes: [...signsPeopleIn, 'client_credentials', 'token_exchange', 'jwt_bearer'],
    usualGrantTypes: signsPeopleIn,
    authentication: ['client_secret', 'private_key_jwt'],
  },
  /** In a browser alone. */
  single_page: { grantTypes: signsPeopleIn, usualGrantTypes: signsPeopleIn, authentication: ['none'] },
  /** Installed on a computer or a phone. */
  native: { grantTypes: signsPeopleIn, usualGrantTypes: signsPeopleIn, authentication: ['none'] },
  /** Acts by itself. */
  machine: {
    grantTypes: ['client_credentials', 'token_exchange', 'jwt_bearer'],
    usualGrantTypes: ['client_credentials'],
    authentication: ['client_secret', 'private_key_jwt'],
  },
  /** Without a browser of its own: people sign in for it at another one (RFC 8628). */
  device: {
    grantTypes: ['device_code', 'refresh_token'],
    usualGrantTypes: ['device_code', 'refresh_token'],
    authentication: ['none', 'client_secret', 'private_key_jwt'],
  },
} as const satisfies Record<string, Kind>;
export type KindOfApplication = keyof typeof kinds;

export const kindSchema = z.enum(Object.keys(kinds) as [KindOfApplication, ...KindOfApplication[]]);

const isPrivateUse = (protocol: string) => /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(protocol);

const isOfTheWeb = (text: string) => /^https?:/i.test(text);

/** Or a scheme of a native application's own, which is a domain name the other way round (RFC 8252 §7.1). */
const redirectUri = z
  .url()
  .max(2_000)
  .superRefine(assertPlainUrl)
  .refine(
    text => isOfTheWeb(text) || isPrivateUse(URL.parse(text)?.protocol ?? ''),
    'must be https, http on localhost, or a scheme such as com.example.app:',
  );

const webUri = redirectUri.refine(isOfTheWeb, 'must be https, or http on localhost');

/** As a browser sends it. */
const origin = webUri.refine(
  text => URL.parse(text)?.origin === text && !text.includes('*'),
  'must be an origin, as https://app.example',
);

const authentication = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('client_secret') }),
  z.strictObject({ method: z.literal('none') }),
  z.strictObject({
    method: z.literal('private_key_jwt'),
    /** Where its public keys are, for one that changes them; or the keys themselves. */
    jwksUri: webUri.exactOptional(),
    jwks: z
      .strictObject({ keys: z.array(z.record(z.string(), z.unknown())).min(1).max(10) })
      .refine(
        isPublicKeySet,
        'must be public keys for signatures by ES256, PS256, RS256 or EdDSA, RSA of 2048 bit or more',
      )
      .exactOptional(),
  }),
]);
export type Authentication = z.infer<typeof authentication>;

export const applicationSettings = z.strictObject({
  name: z.string().trim().min(1).max(200),
  grantTypes: z.array(grantType).min(1),
  redirectUris: z.array(redirectUri).max(20),
  postLogoutRedirectUris: z.array(redirectUri).max(20),
  backchannelLogoutUri: webUri.nullable(),
  initiateLoginUri: webUri.nullable(),
  origins: z.array(origin).max(20),
  authentication,
  defaultResource: webUri.nullable(),
  defaultScopes: z
    .array(scopeText)
    .max(50)
    .refine(names => new Set(names).size === names.length, 'has a name twice')
    .describe('What it asks for where an authorization request names no scope (RFC 6749 §3.3)'),
  areas: z.array(z.enum(areas)).max(areas.length).nullable(),
  surface: z
    .string()
    .regex(/^[a-z][a-z0-9_-]{0,59}$/, 'must be up to 60 lowercase letters, digits, _ and -')
    .nullable(),
  pkceRequired: z.boolean(),
  dpopRequired: z.boolean(),
  securityProfile: z.literal('fapi2').nullable(),
});
export type ApplicationSettings = z.infer<typeof applicationSettings>;

const mostTenants = 1_000;

/** Of the platform's applications: whose people they sign in. */
export const tenantsServed = z.union([z.literal('all'), z.array(idSchema('tenant')).max(mostTenants)]);

type Complaint = { field: string; message: string };
type Together = Pick<
  ApplicationSettings,
  | 'grantTypes'
  | 'redirectUris'
  | 'origins'
  | 'postLogoutRedirectUris'
  | 'backchannelLogoutUri'
  | 'authentication'
  | 'pkceRequired'
  | 'dpopRequired'
  | 'securityProfile'
> & { kind: KindOfApplication };

/** Why these settings do not go together, by field; null when they do. */
export function contradictionIn(settings: Together): Complaint | null {
  const { grantTypes, redirectUris, postLogoutRedirectUris, authentication: by, pkceRequired, kind } = settings;
  const { grantTypes: possible, authentication: methods }: Kind = kinds[kind];
  const other = grantTypes.find(one => !possible.includes(one));
  if (other !== undefined) return { field: 'grantTypes', message: `${other} is none of a ${kind} application's` };
  const isForPeople = grantTypes.includes('authorization_code') || grantTypes.includes('device_code');
  if (grantTypes.includes('refresh_token') && !isForPeople)
    return { field: 'grantTypes', message: 'refresh_token needs authorization_code or device_code' };
  const sendsBack = possible.includes('authorization_code');
  if (!sendsBack && redirectUris.length > 0)
    return { field: 'redirectUris', message: `nobody is sent back to a ${kind} application` };
  if (!sendsBack && settings.origins.length > 0)
    return { field: 'origins', message: `a ${kind} application has no pages` };
  if (grantTypes.includes('authorization_code') && redirectUris.length === 0)
    return { field: 'redirectUris', message: 'authorization_code needs at least one' };
  if (settings.backchannelLogoutUri !== null && kind !== 'web')
    return { field: 'backchannelLogoutUri', message: `a ${kind} application has no server that could be told` };
  if (!methods.includes(by.method))
    return { field: 'authentication.method', message: `of a ${kind} application is ${methods.join(' or ')}` };
  if (by.method === 'private_key_jwt' && (by.jwks === undefined) === (by.jwksUri === undefined))
    return { field: 'authentication', message: 'private_key_jwt needs jwks or jwksUri, and not both' };
  if (by.method === 'none' && !pkceRequired)
    return { field: 'pkceRequired', message: 'only an application that proves which it is can do without' };
  return (
    notOfProfile(settings) ??
    ofNoOther(kind, 'redirectUris', redirectUris) ??
    ofNoOther(kind, 'postLogoutRedirectUris', postLogoutRedirectUris)
  );
}

/** FAPI 2.0 Security Profile §5.3: an application that proves itself by a key, and whose tokens are bound to one. */
function notOfProfile({ securityProfile, authentication: { method }, dpopRequired, pkceRequired }: Together) {
  if (securityProfile === null) return null;
  if (method !== 'private_key_jwt')
    return { field: 'authentication.method', message: `of ${securityProfile} is private_key_jwt` };
  if (!dpopRequired) return { field: 'dpopRequired', message: `is so of ${securityProfile}` };
  return pkceRequired ? null : { field: 'pkceRequired', message: `is so of ${securityProfile}` };
}

/** A scheme of one's own is registered on a device, by whichever application comes first: it is for those there. */
function ofNoOther(kind: KindOfApplication, field: string, uris: readonly string[]): Complaint | null {
  const at = kind === 'native' ? -1 : uris.findIndex(uri => !isOfTheWeb(uri));
  return at === -1 ? null : { field: `${field}.${at}`, message: 'a scheme of its own is for native applications' };
}
