// Each scheme as its provider documents it. Signature lists are cut at sixteen entries: more is not a rotation but work
// for us.
import {
  type Candidate,
  decodeStrictly,
  readTimestamp,
  type Scheme,
  type SchemeName,
  type SignatureSettings,
} from './scheme.ts';

const longestList = 16;
const candidates = (kind: Candidate['kind'], found: (Buffer | null)[]): Candidate[] =>
  found.filter(bytes => bytes !== null).map(bytes => ({ kind, bytes }));
/** Visible ASCII: what a header can carry and a log can show. */
const isId = (text: string) => /^[\x21-\x7e]{1,256}$/.test(text);

/**
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: v1 is HMAC-SHA256, v1a is
 * Ed25519.
 */
const standard: Scheme = {
  id: { from: 'header:webhook-id', signed: true },
  digest: 'sha256',
  read(header) {
    const [id, timestamp, list] = [
      header('webhook-id'),
      readTimestamp(header('webhook-timestamp')),
      header('webhook-signature'),
    ];
    // A dot in the id could move the border between id and timestamp.
    if (id === undefined || !isId(id) || id.includes('.') || timestamp === null || !list) return null;
    const entries = list.split(' ').slice(0, longestList);
    const of = (version: string) =>
      entries
        .filter(entry => entry.startsWith(version))
        .map(entry => decodeStrictly(entry.slice(version.length), 'base64'));
    return {
      candidates: [...candidates('hmac', of('v1,')), ...candidates('ed25519', of('v1a,'))],
      timestamp,
      before: `${id}.${timestamp}.`,
      after: '',
    };
  },
  write: ({ id, timestamp, signature, kind }) => ({
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `${kind === 'hmac' ? 'v1' : 'v1a'},${signature.toString('base64')}`,
  }),
  around: ({ id, timestamp }) => ({ before: `${id}.${timestamp}.`, after: '' }),
};

/** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries. The delivery id is not signed. */
const github: Scheme = {
  id: { from: 'header:x-github-delivery', signed: false },
  digest: 'sha256',
  read(header) {
    const signature = header('x-hub-signature-256');
    if (!signature?.startsWith('sha256=')) return null;
    return {
      candidates: candidates('hmac', [decodeStrictly(signature.slice(7), 'hex')]),
      timestamp: null,
      before: '',
      after: '',
    };
  },
  write: ({ id, signature }) => ({
    'x-github-delivery': id,
    'x-github-event': 'ping',
    'x-hub-signature-256': `sha256=${signature.toString('hex')}`,
  }),
  around: () => ({ before: '', after: '' }),
};

/** https://api.slack.com/authentication/verifying-requests-from-slack */
const slack: Scheme = {
  id: { from: 'body:/event_id', signed: true },
  digest: 'sha256',
  read(header) {
    const [signature, text] = [header('x-slack-signature'), header('x-slack-request-timestamp')];
    const timestamp = readTimestamp(text);
    if (!signature?.startsWith('v0=') || timestamp === null) return null;
    return {
      candidates: candidates('hmac', [decodeStrictly(signature.slice(3), 'hex')]),
      timestamp,
      before: `v0:${text}:`,
      after: '',
    };
  },
  write: ({ timestamp, signature }) => ({
    'x-slack-request-timestamp': String(timestamp),
    'x-slack-signature': `v0=${signature.toString('hex')}`,
  }),
  around: ({ timestamp }) => ({ before: `v0:${timestamp}:`, after: '' }),
};

/** https://docs.stripe.com/webhooks#verify-manually: other versions than v1 are ignored, as `v0` is for test events. */
const stripe: Scheme = {
  id: { from: 'body:/id', signed: true },
  digest: 'sha256',
  read(header) {
    const parts = (header('stripe-signature') ?? '')
      .split(',')
      .slice(0, longestList)
      .map(part => part.split('='));
    const valuesOf = (name: string) =>
      parts.filter(part => part.length === 2 && part[0]?.trim() === name).map(part => part[1] ?? '');
    const [text, ...others] = valuesOf('t');
    const timestamp = readTimestamp(text);
    const signatures = valuesOf('v1');
    if (timestamp === null || others.length > 0 || signatures.length === 0) return null;
    return {
      candidates: candidates(
        'hmac',
        signatures.map(one => decodeStrictly(one, 'hex')),
      ),
      timestamp,
      before: `${text}.`,
      after: '',
    };
  },
  write: ({ timestamp, signature }) => ({ 'stripe-signature': `t=${timestamp},v1=${signature.toString('hex')}` }),
  around: ({ timestamp }) => ({ before: `${timestamp}.`, after: '' }),
};

/** https://shopify.dev/docs/apps/build/webhooks/subscribe/https. The webhook id is not signed. */
const shopify: Scheme = {
  id: { from: 'header:x-shopify-webhook-id', signed: false },
  digest: 'sha256',
  read(header) {
    const signature = header('x-shopify-hmac-sha256');
    if (!signature) return null;
    return {
      candidates: candidates('hmac', [decodeStrictly(signature, 'base64')]),
      timestamp: null,
      before: '',
      after: '',
    };
  },
  write: ({ id, signature }) => ({ 'x-shopify-webhook-id': id, 'x-shopify-hmac-sha256': signature.toString('base64') }),
  around: () => ({ before: '', after: '' }),
};

type Border = { text: string; follows: boolean };

/**
 * What tells where the id ends, or where it begins when it comes after the body: the text up to what stands beside it.
 * Null where no id is signed. A timestamp needs none: those within any tolerance have the same number of digits.
 */
function borderOfId(template: string): Border | null {
  const parts = template.split(/(\{(?:id|timestamp|body)\})/);
  const [first, last] = [parts.indexOf('{id}'), parts.lastIndexOf('{id}')];
  if (first < 0) return null;
  const follows = first < parts.indexOf('{body}');
  return { text: parts[follows ? first + 1 : last - 1] ?? '', follows };
}

/** Whether what is signed has one reading. Without text beside the id, its end could be moved into what is next. */
export const setsIdApart = (template: string): boolean => borderOfId(template)?.text !== '';

/** Whether the border is where the id says, also where the end of the id and the border's beginning are alike. */
const isWithin = ({ text, follows }: Border, id: string): boolean =>
  text === '' || (follows ? (id + text).indexOf(text) === id.length : (text + id).lastIndexOf(text) === 0);

/** A partner's own scheme, as the endpoint's settings describe it. */
function custom(kind: Candidate['kind'], settings: SignatureSettings): Scheme {
  const { header: name, prefix, encoding, digest, template, timestampHeader, timestampUnit, idHeader } = settings;
  const [before = '', after = ''] = template.split('{body}');
  const border = borderOfId(template);
  const fill = (text: string, { id, timestamp }: { id: string; timestamp: string }) =>
    text.replaceAll(/\{(id|timestamp)\}/g, (_, what: string) => (what === 'id' ? id : timestamp));
  const inUnit = (seconds: number) => String(timestampUnit === 's' ? seconds : seconds * 1_000);
  return {
    id: idHeader === null ? null : { from: `header:${idHeader}`, signed: border !== null },
    digest,
    read(header) {
      const signature = header(name);
      const id = idHeader === null ? '' : header(idHeader);
      const text = timestampHeader === null ? '' : header(timestampHeader);
      const timestamp = timestampHeader === null ? null : readTimestamp(text, timestampUnit);
      if (!signature?.startsWith(prefix) || (timestampHeader !== null && timestamp === null)) return null;
      if (border && (id === undefined || !isId(id) || !isWithin(border, id))) return null;
      const values = { id: id ?? '', timestamp: text ?? '' };
      return {
        candidates: candidates(kind, [decodeStrictly(signature.slice(prefix.length), encoding)]),
        timestamp,
        before: fill(before, values),
        after: fill(after, values),
      };
    },
    write: ({ id, timestamp, signature }) => ({
      ...(idHeader === null ? {} : { [idHeader]: id }),
      ...(timestampHeader === null ? {} : { [timestampHeader]: inUnit(timestamp) }),
      [name]: prefix + signature.toString(encoding),
    }),
    around: ({ id, timestamp }) => {
      const values = { id, timestamp: inUnit(timestamp) };
      return { before: fill(before, values), after: fill(after, values) };
    },
  };
}

/** The scheme of an endpoint. `settings` are those of `hmac` and `ed25519`; the others have none. */
export function schemeOf(name: SchemeName, settings: SignatureSettings | null): Scheme {
  switch (name) {
    case 'standard':
      return standard;
    case 'github':
      return github;
    case 'slack':
      return slack;
    case 'stripe':
      return stripe;
    case 'shopify':
      return shopify;
    case 'hmac':
    case 'ed25519':
      if (!settings) throw new TypeError(`${name} needs settings`);
      return custom(name, settings);
  }
}
