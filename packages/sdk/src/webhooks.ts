// Webhooks, signed and verified over exact bytes: Standard Webhooks, which Reeve itself sends and takes, and the
// schemes of others.
import {
  defaultSettings,
  keyOf,
  newSecret,
  type SchemeName,
  type SignatureSettings,
  schemeOf,
  sign,
  verify,
} from '@reeve/webhook-signatures';
import { ReeveError } from './errors.ts';

export {
  newStandardKeyPair,
  type SchemeName,
  SecretFormError,
  type SignatureSettings,
} from '@reeve/webhook-signatures';

/** Of Node's requests (`headersDistinct` tells of one that came twice; `headers` joins them), or of fetch. */
export type WebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

type Scheme = {
  /** Said by whoever takes webhooks, and never by what comes. `standard` unless said. */
  scheme?: SchemeName;
  /** Of `hmac` and `ed25519`; what is left out is as usual there. */
  settings?: Partial<SignatureSettings>;
};

export type WebhookToVerify = Scheme & {
  /** All that are live, the newest first: two while one takes the place of another. */
  secrets: readonly string[];
  headers: WebhookHeaders;
  /** As it came, before anybody has parsed it. */
  body: Uint8Array | string;
  /** By how much the signed time may be off, either way; 300 unless said. */
  toleranceSeconds?: number;
  now?: Date;
};

const bytesOf = (body: Uint8Array | string) => (typeof body === 'string' ? Buffer.from(body, 'utf8') : body);

function settingsOf({ scheme = 'standard', settings = {} }: Scheme): SignatureSettings | null {
  return scheme === 'hmac' || scheme === 'ed25519' ? { ...defaultSettings[scheme], ...settings } : null;
}

function onceIn(headers: WebhookHeaders) {
  if (headers instanceof Headers) return (name: string) => headers.get(name) ?? undefined;
  const named = new Map<string, string[]>();
  for (const [name, value] of Object.entries(headers)) {
    const known = named.get(name.toLowerCase()) ?? [];
    named.set(name.toLowerCase(), [...known, ...[value ?? []].flat()]);
  }
  return (name: string) => {
    const [value, ...more] = named.get(name) ?? [];
    return more.length > 0 ? undefined : value;
  };
}

/**
 * Gives the id by which a delivery is known again, where the scheme has one in a header. Throws `webhook_refused`,
 * whose message says whether it was malformed, signed by somebody else, or signed too long ago; a sender is told no
 * more than that it was refused. Throws SecretFormError for a secret that the scheme cannot use.
 */
export function verifyWebhook(webhook: WebhookToVerify): { id: string | null } {
  const { scheme = 'standard', secrets, headers, body, toleranceSeconds = 300, now = new Date() } = webhook;
  const settings = settingsOf(webhook);
  const keys = secrets.map(secret => keyOf(scheme, secret, { use: 'verify', settings }));
  const header = onceIn(headers);
  const { verdict } = verify({ scheme, settings, header, body: bytesOf(body), keys, now, toleranceSeconds });
  if (verdict !== 'valid') throw new ReeveError('webhook_refused', verdict);
  const from = schemeOf(scheme, settings).id?.from;
  return { id: from?.startsWith('header:') ? (header(from.slice('header:'.length)) ?? null) : null };
}

export type WebhookToSign = Scheme & {
  secret: string;
  /** By which its receiver knows it again: the same for each attempt. */
  id: string;
  body: Uint8Array | string;
  now?: Date;
};

/** The headers to send with it, besides Content-Type. Throws SecretFormError. */
export function signWebhook(webhook: WebhookToSign): Record<string, string> {
  const { scheme = 'standard', secret, id, body, now = new Date() } = webhook;
  const timestamp = Math.floor(now.getTime() / 1_000);
  return sign({ scheme, settings: settingsOf(webhook), secret, id, timestamp, body: bytesOf(body) });
}

/** A secret in the form of the scheme; null for `ed25519`, whose signer makes the pair. */
export const newWebhookSecret = (scheme: SchemeName = 'standard'): string | null => newSecret(scheme, null);
