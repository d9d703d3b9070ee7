// What a verified delivery says about itself: its id, its place in a sequence, its ordering key. Read after the signature held, and from
// where the endpoint says.
import { ProblemError } from '@reeve/contracts';
import type { HeaderOnce, Source } from '@reeve/webhook-signatures';
import jsonpointer from 'jsonpointer';
import type { Receiver } from '../endpoints/receivers.ts';

export type Identity = { webhookId: string; orderingKey: string; sequence: number | null };

const longest = 256;

export function identify(
  { endpoint, idSource }: Receiver,
  { header, body, signedBytesSha256 }: { header: HeaderOnce; body: Buffer; signedBytesSha256: () => string },
): Identity {
  let parsed: unknown;
  const json = (): object => {
    parsed ??= parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  };
  const read = (source: Source): unknown =>
    source.startsWith('header:')
      ? header(source.slice('header:'.length))
      : jsonpointer.get(json(), source.slice('body:'.length));

  const { orderingKeyFrom, sequenceFrom, ordered } = endpoint;
  const id = idSource.from === null ? undefined : text(read(idSource.from), idSource.from);
  const orderingKey = orderingKeyFrom === null ? '' : (text(read(orderingKeyFrom), orderingKeyFrom) ?? '');
  const sequence = sequenceFrom === null ? null : sequenceOf(read(sequenceFrom), sequenceFrom);
  if (ordered && sequence === null)
    throw new ProblemError('delivery_malformed', `this endpoint demands order, and ${sequenceFrom} holds no sequence`);
  // What was signed is always there to be recognised by (lesson L25).
  return { webhookId: id ?? `sha256:${signedBytesSha256()}`, orderingKey, sequence };
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return {};
  }
}

/** Undefined for what is not there; whatever else is not text or a number is the partner's error, and it learns which. */
function text(value: unknown, source: Source): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  const found = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value;
  if (typeof found === 'string' && found.length <= longest && found.isWellFormed() && !/\p{Cc}/u.test(found))
    return found;
  throw new ProblemError(
    'delivery_malformed',
    `${source} must be text of at most ${longest} characters, or a whole number`,
  );
}

function sequenceOf(value: unknown, source: Source): number | null {
  if (value === undefined || value === null || value === '') return null;
  const found = typeof value === 'string' && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
  if (typeof found === 'number' && Number.isSafeInteger(found) && found >= 0) return found;
  throw new ProblemError('delivery_malformed', `${source} must be a whole number of at most 15 digits`);
}
