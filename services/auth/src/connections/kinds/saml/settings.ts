// What is kept of a SAML connection, what a caller gives of it, and what a caller sees.
import { invalidField, ProblemError } from '@reeve/contracts';
import { z } from 'zod';
import { parsedOnce } from '../parsed-once.ts';
import { checkedIdp, type Idp, idpSchema, pemOf, readIdpMetadata } from './idp-metadata.ts';
import { newOwnKey, ownKeysSchema, writePrivateKeys } from './keys.ts';
import { wantSigned } from './verify-response.ts';

const httpUrl = z.url({ protocol: /^https?$/ }).max(1_000);
const metadataXml = z.string().min(1).max(200_000);

/** For providers that have no metadata: what would stand in it. */
const byHand = {
  entityId: z.string().trim().min(1).max(500),
  ssoUrl: httpUrl,
  sloUrl: httpUrl.exactOptional(),
  certificates: z.array(z.string().min(1).max(20_000)).min(1).max(10),
};
const switches = {
  /** Take responses that nobody here asked for: each only begins a sign-in at an application. */
  allowIdpInitiated: z.boolean(),
  signRequests: z.boolean(),
  wantEncrypted: z.boolean(),
  /** Ask the provider to end its session when ours ends. */
  singleLogout: z.boolean(),
};
/** The application where somebody who comes from the provider's own list of applications begins to sign in. */
const idpInitiatedClientId = z.string().min(1).max(100).nullable();

const signed = z.enum(wantSigned);

const every = {
  metadataXml,
  metadataUrl: httpUrl,
  ...byHand,
  ...switches,
  wantSigned: signed,
  idpInitiatedClientId,
};
export const change = z.strictObject(every).partial();
type Given = z.infer<typeof change>;

const settingsSchema = z.object({
  /** Null until somebody has said which it is: most providers want to know of us before they say anything. */
  idp: idpSchema.nullable(),
  /** Where the metadata is read again; null where it was given. */
  metadataUrl: z.string().nullable(),
  /** Hosts where the provider was as an administrator accepted it. Metadata that is read again leads to no other. */
  pinnedHosts: z.array(z.string()),
  keys: ownKeysSchema,
  ...switches,
  wantSigned: signed,
  idpInitiatedClientId,
});
export type Settings = z.infer<typeof settingsSchema>;
export const settingsOf = parsedOnce(settingsSchema);
export type Complete = Settings & { idp: Idp };

/** Throws `connection_incomplete`. */
export function completeSettings(stored: unknown): Complete {
  const settings = settingsOf(stored);
  const { idp } = settings;
  if (!idp) throw new ProblemError('connection_incomplete');
  return { ...settings, idp };
}

export const view = z.object({
  entityId: z.string().nullable().describe('Null until the provider is set, as everything of it'),
  ssoUrl: z.string().nullable(),
  sloUrl: z.string().nullable(),
  certificates: z.array(z.string()),
  metadataUrl: z.string().nullable(),
  /** Until when the metadata counts, where it says so. */
  metadataValidUntil: z.string().nullable(),
  pinnedHosts: z.array(z.string()),
  ...switches,
  wantSigned: signed,
  idpInitiatedClientId,
  /** Of us, for the identity provider: what we are called, and where it can read the rest. */
  spEntityId: z.string(),
  spMetadataUrl: z.string(),
  spCertificates: z.array(z.string()),
});

export function viewOf({ idp, metadataUrl, keys, ...rest }: Settings, spEntityId: string): z.infer<typeof view> {
  return {
    ...rest,
    entityId: idp?.entityId ?? null,
    ssoUrl: idp?.sso.redirect ?? idp?.sso.post ?? null,
    sloUrl: idp?.slo.redirect ?? idp?.slo.post ?? null,
    certificates: idp?.certificates ?? [],
    metadataUrl,
    metadataValidUntil: idp?.validUntil ?? null,
    spEntityId,
    spMetadataUrl: spEntityId,
    spCertificates: keys.map(({ certificate }) => certificate),
  };
}

export type World = {
  fetchMetadata: (url: string) => Promise<Uint8Array>;
  /** Throws `url_refused` for where no browser of ours is sent. */
  assertUrl: (url: string) => void;
  ownHost: string;
  now: Date;
};

/** Where browsers are sent to. */
export const addressesOf = (idp: Idp | null): string[] =>
  idp ? [idp.sso.redirect, idp.sso.post, idp.slo.redirect, idp.slo.post].filter(url => url !== undefined) : [];

export const hostsOf = (idp: Idp | null): string[] => [...new Set(addressesOf(idp).map(url => new URL(url).host))];

/** Settings of what was given and what is there already; and the private key, where one was made. */
export async function prepare(given: Given, current: Settings | null, world: World) {
  const { idp, metadataUrl, isReadAnew } = await idpOf(given, current, world);
  for (const url of addressesOf(idp)) world.assertUrl(url);
  const isOn = (name: keyof typeof switches, usually = false) => given[name] ?? current?.[name] ?? usually;
  const settings: Settings = {
    idp,
    metadataUrl,
    pinnedHosts: isReadAnew || !current ? hostsOf(idp) : current.pinnedHosts,
    keys: current?.keys ?? [],
    allowIdpInitiated: isOn('allowIdpInitiated'),
    signRequests: isOn('signRequests') || (idp?.wantsSignedRequests ?? false),
    wantEncrypted: isOn('wantEncrypted'),
    singleLogout: isOn('singleLogout', true),
    wantSigned: given.wantSigned ?? current?.wantSigned ?? 'either',
    idpInitiatedClientId:
      given.idpInitiatedClientId === undefined ? (current?.idpInitiatedClientId ?? null) : given.idpInitiatedClientId,
  };
  if (settings.allowIdpInitiated && settings.idpInitiatedClientId === null)
    throw invalidField('saml.idpInitiatedClientId', 'is needed: the application where such a sign-in begins');
  // What the provider will want of us is not known before it says so: then our metadata has all that it could.
  const isKeyNeeded = !idp || settings.signRequests || settings.wantEncrypted || Object.keys(idp.slo).length > 0;
  if (!isKeyNeeded || settings.keys.length > 0) return { settings, secret: null, isReadAnew };
  const { certificate, privateKey } = await newOwnKey(world.ownHost, world.now);
  const keys = [{ certificate, createdAt: world.now.toISOString() }];
  return { settings: { ...settings, keys }, secret: writePrivateKeys([privateKey]), isReadAnew };
}

async function idpOf(
  given: Given,
  current: Settings | null,
  world: World,
): Promise<Pick<Settings, 'idp' | 'metadataUrl'> & { isReadAnew: boolean }> {
  const manual = Object.keys(byHand).filter(name => given[name as keyof Given] !== undefined);
  const sources = [given.metadataXml, given.metadataUrl].filter(one => one !== undefined).length;
  if (sources + (manual.length > 0 ? 1 : 0) > 1)
    throw invalidField('saml', 'takes one of metadataXml, metadataUrl, or the settings by hand');
  if (given.metadataXml !== undefined)
    return {
      idp: readIdpMetadata(Buffer.from(given.metadataXml, 'utf8'), world.now),
      metadataUrl: null,
      isReadAnew: true,
    };
  if (given.metadataUrl !== undefined) {
    const bytes = await world.fetchMetadata(given.metadataUrl);
    return { idp: readIdpMetadata(bytes, world.now), metadataUrl: given.metadataUrl, isReadAnew: true };
  }
  if (manual.length === 0)
    return { idp: current?.idp ?? null, metadataUrl: current?.metadataUrl ?? null, isReadAnew: false };
  return { idp: checkedIdp(idpByHand(given, current?.idp ?? null)), metadataUrl: null, isReadAnew: true };
}

function idpByHand({ entityId, ssoUrl, sloUrl, certificates }: Given, current: Idp | null): Idp {
  const sso = ssoUrl === undefined ? current?.sso : { redirect: ssoUrl };
  const signing = certificates?.map(pemOf) ?? current?.certificates;
  const name = entityId ?? current?.entityId;
  if (!sso || !signing || name === undefined)
    throw invalidField('saml', 'needs metadataXml, metadataUrl, or entityId with ssoUrl and certificates');
  return {
    entityId: name,
    sso,
    slo: sloUrl === undefined ? (current?.slo ?? {}) : { redirect: sloUrl },
    certificates: signing,
    wantsSignedRequests: current?.wantsSignedRequests ?? false,
    validUntil: null,
  };
}
