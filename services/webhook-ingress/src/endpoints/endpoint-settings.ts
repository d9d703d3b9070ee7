// What a tenant may set on an endpoint, as the API takes it.
import { isIP } from 'node:net';
import { invalidField } from '@reeve/contracts';
import {
  defaultSettings,
  digests,
  encodings,
  type SchemeName,
  type SignatureSettings,
} from '@reeve/webhook-signatures';
import { z } from 'zod';
import type { Settings } from './endpoint.ts';

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
      .refine(text => text.split('{body}').length === 2, 'must have {body} exactly once')
      .refine(text => !/\{(?!body\}|id\}|timestamp\})/.test(text), 'may have {id}, {timestamp} and {body} only'),
    timestampHeader: headerName.nullable(),
    timestampUnit: z.enum(['s', 'ms']),
    idHeader: headerName.nullable(),
    secretEncoding: z.enum(['utf8', 'hex', 'base64']),
  })
  .partial();

/** Every setting may be left out; a change sends those it changes. */
export const settingsBody = z.strictObject({
  toleranceSeconds: z.number().int().min(30).max(3_600).optional(),
  idFrom: source
    .nullable()
    .optional()
    .describe('Where the event id stands; null for the place that the scheme defines'),
  trustUnsignedIds: z
    .boolean()
    .optional()
    .describe('Take the same signed bytes under another, unsigned id for another event instead of a replay'),
  sequenceFrom: source.nullable().optional().describe('Where a sequence stands that grows by one per ordering key'),
  orderingKeyFrom: source.nullable().optional().describe('Where the key stands within which order is kept'),
  ordered: z.boolean().optional().describe('Hold what comes too early; needs sequenceFrom'),
  holdSeconds: z.number().int().min(1).max(300).optional().describe('How long a gap may last before it is acted on'),
  onGap: z
    .enum(['release', 'refuse'])
    .optional()
    .describe('What is held when a gap lasts: released, or put to the dead letters'),
  limits: z.strictObject({ perSecond: z.number().int().min(1).max(10_000) }).optional(),
  allowedIps: z.array(addressOrRange).max(100).optional().describe('Senders to take deliveries from; empty for all'),
  contentTypes: z
    .array(
      z
        .string()
        .regex(/^[\w.+-]+\/[\w.+-]+$/, 'must be a media type such as application/json')
        .transform(text => text.toLowerCase()),
    )
    .max(20)
    .optional()
    .describe('Media types to take; empty for all'),
});

type SignatureBody = z.infer<typeof signatureBody>;

/** Null for the schemes whose form is given. Throws `input_invalid` for settings that contradict each other. */
export function signatureSettings(scheme: SchemeName, given: SignatureBody | undefined): SignatureSettings | null {
  if (scheme !== 'hmac' && scheme !== 'ed25519') {
    if (given === undefined) return null;
    throw invalidField('signature', `is only for hmac and ed25519: ${scheme} has its own form`);
  }
  const all = { ...defaultSettings[scheme], ...given } as SignatureSettings;
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

/** Settings that only make sense together. */
export function assertConsistent({ ordered, sequenceFrom }: Pick<Settings, 'ordered' | 'sequenceFrom'>): void {
  if (ordered && sequenceFrom === null)
    throw invalidField('sequenceFrom', 'is needed: without a sequence nobody knows the order');
}
