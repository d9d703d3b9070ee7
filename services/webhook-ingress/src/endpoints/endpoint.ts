// An endpoint: where one connector of one tenant sends its webhooks, how those are signed, and which secrets may sign
// them. The secrets themselves are in the vault.
import { isIP } from 'node:net';
import { event, type Id, invalidField, ProblemError, type ReasonOf } from '@reeve/contracts';
import { type Collections, changedIn, collection, type Decision } from '@reeve/store';
import {
  defaultSettings as defaultForms,
  digests,
  encodings,
  type SchemeName,
  type SignatureSettings,
  type Source,
  schemeOf,
  setsIdApart,
} from '@reeve/webhook-signatures';
import { z } from 'zod';

export type LiveSecret = { id: string; createdAt: string; expiresAt: string | null };

/** Each is work for whoever sends something unsigned: all of them are tried on it. */
export const mostLiveSecrets = 5;

const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/, 'must be the name of a header')
  .transform(name => name.toLowerCase());

/** `header:x-event-id`, or `body:` and a JSON Pointer (RFC 6901) such as `body:/data/id`. */
const source = z
  .string()
  .max(200)
  .regex(
    /^(?:header:[!#$%&'*+.^_`|~0-9A-Za-z-]+|body:(?:\/(?:[^~/]|~[01])*)+)$/,
    'must be `header:<name>` or `body:/<JSON pointer>`',
  )
  .transform(text => (text.startsWith('header:') ? text.toLowerCase() : text) as `header:${string}` | `body:${string}`);

const addressOrRange = z.string().refine(text => {
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  return (
    version !== 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)))
  );
}, 'must be an IP address or a range such as 192.0.2.0/24');

export const signatureBody = z
  .strictObject({
    header: headerName,
    prefix: z
      .string()
      .max(50)
      .regex(/^[\x21-\x7e]*$/, 'must be visible ASCII'),
    encoding: z.enum(encodings),
    digest: z.enum(digests),
    template: z
      .string()
      .max(200)
      .refine(text => text.split('{body}').length === 2, { error: 'must have {body} exactly once', abort: true })
      .refine(text => !/\{(?!body\}|id\}|timestamp\})/.test(text), 'may have {id}, {timestamp} and {body} only')
      .refine(setsIdApart, 'needs text between {id} and what is next to it: without, its end could be moved'),
    timestampHeader: headerName.nullable(),
    timestampUnit: z.enum(['s', 'ms']),
    idHeader: headerName.nullable(),
    secretEncoding: z.enum(['utf8', 'hex', 'base64']),
  })
  .partial();

const settings = z.strictObject({
  toleranceSeconds: z.number().int().min(30).max(3_600),
  idFrom: source.nullable().describe('Where the event id stands; null for the place that the scheme defines'),
  trustUnsignedIds: z
    .boolean()
    .describe('Take the same signed bytes under another, unsigned id for another event instead of a replay'),
  sequenceFrom: source.nullable().describe('Where a sequence stands that grows by one per ordering key'),
  orderingKeyFrom: source.nullable().describe('Where the key stands within which order is kept'),
  ordered: z.boolean().describe('Hold what comes too early; needs sequenceFrom'),
  holdSeconds: z.number().int().min(1).max(300).describe('How long a gap may last before it is acted on'),
  onGap: z.enum(['release', 'refuse']).describe('What is held when a gap lasts: released, or put to the dead letters'),
  limits: z.strictObject({ perSecond: z.number().int().min(1).max(10_000) }),
  allowedIps: z.array(addressOrRange).max(100).describe('Senders to take deliveries from; empty for all'),
  contentTypes: z
    .array(
      z
        .string()
        .regex(/^[\w.+-]+\/[\w.+-]+$/, 'must be a media type such as application/json')
        .transform(text => text.toLowerCase()),
    )
    .max(20)
    .describe('Media types to take; empty for all'),
});
export type Settings = z.output<typeof settings>;

/** Every setting may be left out; a change sends those it changes. */
export const settingsBody = settings.partial();

export type Endpoint = Settings & {
  connectorId: string;
  installationId: string | null;
  scheme: SchemeName;
  /** For `hmac` and `ed25519`. */
  signature: SignatureSettings | null;
  status: 'active' | 'disabled';
  /** Newest first. */
  secrets: LiveSecret[];
  createdAt: string;
};

export type Endpoints = Collections<Endpoint>;

export const defaultSettings: Settings = {
  toleranceSeconds: 300,
  idFrom: null,
  trustUnsignedIds: false,
  sequenceFrom: null,
  orderingKeyFrom: null,
  ordered: false,
  holdSeconds: 30,
  onGap: 'release',
  limits: { perSecond: 1_000 },
  allowedIps: [],
  contentTypes: [],
};

export const endpoints = collection<Endpoint>({
  name: 'webhook_endpoints',
  version: 2,
  // Version 1 lacked whatever settings were added since the endpoint was made.
  upgrade(state) {
    const known = state as Endpoint;
    return { ...defaultSettings, ...known, signature: known.signature ?? null };
  },
  unique: { installation: endpoint => endpoint.installationId },
  globallyUnique: { id: (_, id) => id },
  queries: { inOrder: { equality: [] } },
});

export function liveSecrets({ secrets }: Endpoint, now: Date): LiveSecret[] {
  return secrets.filter(({ expiresAt }) => expiresAt === null || Date.parse(expiresAt) > now.getTime());
}

type SignatureBody = z.infer<typeof signatureBody>;

/** Null for the schemes whose form is given. Throws `input_invalid` for settings that contradict each other. */
export function signatureSettings(scheme: SchemeName, given: SignatureBody | undefined): SignatureSettings | null {
  if (scheme !== 'hmac' && scheme !== 'ed25519') {
    if (given === undefined) return null;
    throw invalidField('signature', `is only for hmac and ed25519: ${scheme} has its own form`);
  }
  const all = { ...defaultForms[scheme], ...given } as SignatureSettings;
  const signs = (what: string) => all.template.includes(`{${what}}`);
  if (signs('timestamp') && all.timestampHeader === null)
    throw invalidField('signature.timestampHeader', 'is needed: the template has {timestamp}');
  if (signs('id') && all.idHeader === null)
    throw invalidField('signature.idHeader', 'is needed: the template has {id}');
  if (all.timestampHeader !== null && !signs('timestamp'))
    throw invalidField('signature.template', 'needs {timestamp}: a timestamp that is not signed proves nothing');
  return all;
}

/** Those of the settings that were sent. */
export function settingsIn(body: z.infer<typeof settingsBody>): Partial<Settings> {
  const names = Object.keys(settingsBody.shape) as (keyof Settings)[];
  return Object.fromEntries(names.filter(name => body[name] !== undefined).map(name => [name, body[name]]));
}

type Signed = Pick<Endpoint, 'scheme' | 'signature'>;

type IdSource = { from: Source | null; signed: boolean };

/** Where the event id stands, and whether what was signed says so in one way. */
export function idSource({ scheme, signature, idFrom }: Signed & Pick<Settings, 'idFrom'>): IdSource {
  const own = schemeOf(scheme, signature).id;
  const from = idFrom ?? own?.from ?? null;
  const isCovered = from === null || from.startsWith('body:') || (own?.signed === true && own.from === from);
  // Endpoints of earlier builds may sign an id that nothing sets apart: then the body has no certain beginning either.
  return { from, signed: isCovered && (signature === null || setsIdApart(signature.template)) };
}

/** Settings that only make sense together. */
export function assertConsistent(endpoint: Signed & Settings): void {
  const { ordered, sequenceFrom, orderingKeyFrom } = endpoint;
  if (ordered && sequenceFrom === null)
    throw invalidField('sequenceFrom', 'is needed: without a sequence nobody knows the order');
  const places = Object.entries({ idFrom: idSource(endpoint).from, orderingKeyFrom, sequenceFrom });
  for (const [field, inner] of places)
    for (const [other, outer] of places)
      if (inner?.startsWith(`${outer}/`))
        throw invalidField(field, `is within ${other} (${outer}): no body can have both`);
}

type EndpointId = Id<'endpoint'>;

export function open(
  id: EndpointId,
  endpoint: Omit<Endpoint, 'status'>,
  because: ReasonOf<'endpoint.created'>,
): NonNullable<Decision<Endpoint>> {
  const { connectorId, installationId, scheme } = endpoint;
  const details = { connectorId, installationId, scheme };
  return {
    state: { ...endpoint, status: 'active' },
    events: [event('endpoint.created', { id, name: connectorId, because, details })],
  };
}

export function adjust(id: EndpointId, endpoint: Endpoint, settings: Partial<Settings>): Decision<Endpoint> {
  const state: Endpoint = { ...endpoint, ...settings };
  const changed = changedIn(endpoint, settings);
  if (changed.length === 0) return null;
  const about = { id, name: endpoint.connectorId, because: 'requested', details: { changed } } as const;
  return { state, events: [event('endpoint.updated', about)] };
}

/**
 * The previous secrets go on working for `overlapSeconds`, or shorter where they were to end earlier. Null where it was
 * done before. Throws `secret_limit` rather than end one early, which a partner may still sign with.
 */
export function rotate(
  id: EndpointId,
  endpoint: Endpoint,
  { fresh, overlapSeconds, now }: { fresh: LiveSecret; overlapSeconds: number; now: Date },
): Decision<Endpoint> {
  if (endpoint.secrets.some(({ id: known }) => known === fresh.id)) return null;
  const previousExpiresAt = new Date(now.getTime() + overlapSeconds * 1_000).toISOString();
  const kept = liveSecrets(endpoint, now).map(secret => ({
    ...secret,
    expiresAt: secret.expiresAt !== null && secret.expiresAt < previousExpiresAt ? secret.expiresAt : previousExpiresAt,
  }));
  const state = { ...endpoint, secrets: [fresh, ...kept] };
  if (liveSecrets(state, now).length > mostLiveSecrets) throw new ProblemError('secret_limit');
  const details = { secretId: fresh.id, previousExpiresAt: kept.length > 0 ? previousExpiresAt : null };
  const about = { id, name: endpoint.connectorId, because: 'requested', details } as const;
  return { state, events: [event('endpoint.secret_rotated', about)] };
}

export function disable(
  id: EndpointId,
  endpoint: Endpoint,
  because: ReasonOf<'endpoint.disabled'>,
): Decision<Endpoint> {
  if (endpoint.status === 'disabled') return null;
  const about = { id, name: endpoint.connectorId, because, details: { cause: because } };
  return { state: { ...endpoint, status: 'disabled' }, events: [event('endpoint.disabled', about)] };
}

export function enable(id: EndpointId, endpoint: Endpoint): Decision<Endpoint> {
  if (endpoint.status === 'active') return null;
  const about = { id, name: endpoint.connectorId, because: 'requested', details: { cause: 'requested' } } as const;
  return { state: { ...endpoint, status: 'active' }, events: [event('endpoint.enabled', about)] };
}
