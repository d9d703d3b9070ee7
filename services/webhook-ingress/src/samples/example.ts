// An example event of an endpoint: a body and headers that hold an id, a sequence and an ordering key wherever the
// endpoint looks for them.
import { type Source, schemeOf } from '@reeve/webhook-signatures';
import { type Endpoint, idSource } from '../endpoints/endpoint.ts';

export type Example = {
  body: string;
  /** Besides those of the signature. */
  headers: Record<string, string>;
  contentType: string;
};

/** `values` are put in as they are: real ones for the test event, names of variables for the samples. */
export function exampleOf(
  endpoint: Endpoint,
  values: { id: string; orderingKey: string; sequence: number; type: string },
): Example {
  const body = noMembers();
  const headers: Record<string, string> = {};
  const put = (source: Source | null, value: string | number) => {
    if (source?.startsWith('header:')) headers[source.slice('header:'.length)] = String(value);
    else if (source) putInto(body, source.slice('body:/'.length).split('/'), value);
  };
  put(idSource(endpoint).from, values.id);
  put(endpoint.orderingKeyFrom, values.orderingKey);
  put(endpoint.sequenceFrom, values.sequence);
  // Last, since the endpoint may look for something else at this place.
  body['type'] ??= values.type;
  return { body: JSON.stringify(body), headers, contentType: endpoint.contentTypes[0] ?? 'application/json' };
}

type Members = { [name: string]: Members | string | number };
/** Without a prototype, so that `__proto__` is a member as any other. */
const noMembers = (): Members => Object.create(null) as Members;

/**
 * Along the parts of a JSON Pointer. A number is made the name of a member as well: a list would be as long as it says.
 * What is within the place of something else, as it could be at endpoints of earlier builds, is left out.
 */
function putInto(members: Members, [part = '', ...rest]: string[], value: string | number): void {
  const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
  if (rest.length > 0) {
    const inner = (members[name] ??= noMembers());
    if (typeof inner === 'object') putInto(inner, rest, value);
  } else if (typeof members[name] !== 'object') members[name] = value;
}

/** How the endpoint's requests are signed, with `{id}`, `{timestamp}`, `{signature}` and `{body}` for what changes. */
export type Recipe = {
  kind: 'hmac' | 'ed25519';
  digest: string;
  encoding: 'hex' | 'base64' | 'base64url';
  secretPrefix: string;
  secretEncoding: 'utf8' | 'hex' | 'base64';
  signed: string;
  timestampFactor: number;
  headers: Record<string, string>;
};

// Values that cannot occur by accident, to find what the scheme makes of them.
const marks = { id: 'evt-mark-of-the-id', timestamp: 1_234_567_891, signature: Buffer.alloc(32, 0xa7) };

/** Asks the scheme itself, so that a sample cannot say something else than the verifier does. */
export function recipeOf({ scheme, signature }: Endpoint, kind: Recipe['kind']): Recipe {
  const definition = schemeOf(scheme, signature);
  const milliseconds = signature?.timestampUnit === 'ms';
  const asText = (text: string) =>
    text
      .replaceAll(String(milliseconds ? marks.timestamp * 1_000 : marks.timestamp), '{timestamp}')
      .replaceAll(marks.id, '{id}');
  const { before, after } = definition.around(marks);
  const encoding = signature?.encoding ?? (scheme === 'standard' || scheme === 'shopify' ? 'base64' : 'hex');
  const written = definition.write({ ...marks, kind });
  const headers = Object.entries(written).map(([name, value]) => [
    name,
    asText(value.replace(marks.signature.toString(encoding), '{signature}')),
  ]);
  return {
    kind,
    digest: definition.digest,
    encoding,
    secretPrefix: scheme === 'standard' ? (kind === 'hmac' ? 'whsec_' : 'whsk_') : '',
    secretEncoding: scheme === 'standard' ? 'base64' : (signature?.secretEncoding ?? 'utf8'),
    signed: `${asText(before)}{body}${asText(after)}`,
    timestampFactor: milliseconds ? 1_000 : 1,
    headers: Object.fromEntries(headers) as Record<string, string>,
  };
}
