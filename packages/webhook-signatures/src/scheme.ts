// What the schemes have in common. Each is a keyed signature over `prefix + body + suffix`, where prefix and suffix are
// made of an id, a timestamp or nothing; they differ in headers, encodings and kinds of key. The scheme comes from the
// endpoint's configuration, never from a request.
export const schemeNames = ['standard', 'github', 'slack', 'stripe', 'shopify', 'hmac', 'ed25519'] as const;
export type SchemeName = (typeof schemeNames)[number];

export const encodings = ['hex', 'base64', 'base64url'] as const;
export const digests = ['sha256', 'sha384', 'sha512'] as const;

/** How a partner's own scheme signs: for `hmac` and `ed25519`. */
export type SignatureSettings = {
  /** Header that carries the signature. */
  header: string;
  /** What stands before the signature in its header, such as `sha256=`. */
  prefix: string;
  encoding: (typeof encodings)[number];
  /** For `hmac` only. */
  digest: (typeof digests)[number];
  /**
   * What is signed: `{body}` exactly once, with `{timestamp}` and `{id}` where the partner signs those too. The text
   * that sets the id apart must not occur in an id.
   */
  template: string;
  /** Header of the timestamp, in the unit below; needed when the template has `{timestamp}`. */
  timestampHeader: string | null;
  timestampUnit: 's' | 'ms';
  /** Header of the id; needed when the template has `{id}`. */
  idHeader: string | null;
  /** How the secret's text stands for bytes. For `hmac` only: an Ed25519 key is recognised by its form. */
  secretEncoding: 'utf8' | 'hex' | 'base64';
};

export const defaultSettings = {
  hmac: {
    header: 'x-signature',
    prefix: '',
    encoding: 'hex',
    digest: 'sha256',
    template: '{body}',
    timestampHeader: null,
    timestampUnit: 's',
    idHeader: null,
    secretEncoding: 'utf8',
  },
  // As Discord signs its interactions, the most used of its kind.
  ed25519: {
    header: 'x-signature-ed25519',
    prefix: '',
    encoding: 'hex',
    digest: 'sha256',
    template: '{timestamp}{body}',
    timestampHeader: 'x-signature-timestamp',
    timestampUnit: 's',
    idHeader: null,
    secretEncoding: 'utf8',
  },
} as const satisfies Record<'hmac' | 'ed25519', SignatureSettings>;

/** Where an event's id stands: a header, or a member of a JSON body (JSON Pointer, RFC 6901). */
export type Source = `header:${string}` | `body:${string}`;

/** One value of a header that came exactly once; undefined when it is missing or came twice. */
export type HeaderOnce = (lowerCaseName: string) => string | undefined;

export type Candidate = { kind: 'hmac' | 'ed25519'; bytes: Buffer };

/** What a request claims, by the form of its headers alone. Nothing of it is believed yet. */
export type Claim = {
  candidates: Candidate[];
  /** Unix seconds. Null where the scheme signs none. */
  timestamp: number | null;
  before: string;
  after: string;
};

export type Scheme = {
  /**
   * Where the id stands unless the endpoint says otherwise, and whether the signature covers it. Null where the scheme
   * has none.
   */
  id: { from: Source; signed: boolean } | null;
  /** Null when a header is missing, doubled or not of the scheme's form. */
  read(header: HeaderOnce): Claim | null;
  /** The headers of a signed request. */
  write(signed: { id: string; timestamp: number; signature: Buffer; kind: Candidate['kind'] }): Record<string, string>;
  /** What is signed around the body. */
  around(signed: { id: string; timestamp: number }): { before: string; after: string };
  digest: (typeof digests)[number];
};

/**
 * Unix time as a number is written, in decimal digits and in one way: not `1614265330abc`, ` 1614265330`, `+1`, `01`,
 * `1e9`.
 */
export function readTimestamp(text: string | undefined, unit: 's' | 'ms' = 's'): number | null {
  if (text === undefined || !/^(?:0|[1-9][0-9]{0,14})$/.test(text)) return null;
  return unit === 's' ? Number(text) : Number(text) / 1_000;
}

/** Null for anything that the encoding would not itself produce. */
export function decodeStrictly(text: string, encoding: (typeof encodings)[number]): Buffer | null {
  if (text.length > 512 || text === '') return null;
  const bytes = Buffer.from(text, encoding);
  return bytes.toString(encoding) === text ? bytes : null;
}
