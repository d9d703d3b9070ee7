// CloudEvents 1.0, Kafka protocol binding, binary mode: attributes as `ce_*` headers, the data as the value.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md §3.2
// Written here because the binding is a header mapping, and an SDK would validate each event a second time.
import { type CloudEvent, isId } from '@reeve/contracts';
import { PoisonMessageError } from './errors.ts';

type Headers = Record<string, Buffer | string | (Buffer | string)[] | undefined>;
export type EncodedMessage = { key: string; value: Buffer; headers: Record<string, string> };
export type RawMessage = { key: Buffer | null; value: Buffer | null; headers?: Headers | undefined; offset: string };

export const textHeaders = (headers: Headers = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

const isJson = (contentType: string) => /^application\/([\w.+-]+\+)?json\b/i.test(contentType);

export function encode(key: string, event: CloudEvent): EncodedMessage {
  const headers: Record<string, string> = {
    ce_specversion: '1.0',
    ce_id: event.id,
    ce_source: event.source,
    ce_type: event.type,
    ce_subject: event.subject,
    ce_time: event.time,
    ce_tenantid: event.tenantId,
    ce_correlationid: event.correlationId,
    'content-type': event.contentType,
  };
  if (event.causationId !== undefined) headers['ce_causationid'] = event.causationId;
  if (event.traceparent !== undefined) headers['traceparent'] = event.traceparent;
  return { key, value: bytesOf(event.data), headers };
}

/** Bytes as they are, without a copy. */
function bytesOf(data: unknown): Buffer {
  if (Buffer.isBuffer(data)) return data;
  if (data instanceof Uint8Array) return Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const json = JSON.stringify(data);
  // Lone surrogates, which an identity provider's JSON may bring, would make the event one that cannot be hashed. JSON
  // shows them as escapes.
  if (!/\\ud[89a-f]/.test(json)) return Buffer.from(json);
  const wellFormed = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? value.toWellFormed() : value;
  return Buffer.from(JSON.stringify(data, wellFormed));
}

const textOf = (found: Headers[string]): string | undefined =>
  Array.isArray(found) ? found[0]?.toString() : found?.toString();

/** What it says of its type, before anything else of it is looked at. */
export const typeOf = ({ headers = {} }: Pick<RawMessage, 'headers'>): string | undefined => textOf(headers['ce_type']);

/**
 * Throws PoisonMessageError, saying which attribute is missing or wrong, for anything that is not one of our events.
 */
export function decode({ value, headers = {} }: RawMessage): CloudEvent {
  const header = (name: string): string | undefined => textOf(headers[name]);
  const required = (name: string): string => {
    const found = header(name);
    if (found === undefined || found === '')
      throw new PoisonMessageError('attribute_missing', `header ${name} is missing`);
    return found;
  };
  if (required('ce_specversion') !== '1.0')
    throw new PoisonMessageError('attribute_invalid', 'ce_specversion is not 1.0');
  const tenantId = required('ce_tenantid');
  if (!isId('tenant', tenantId)) throw new PoisonMessageError('attribute_invalid', 'ce_tenantid is not a tenant id');
  if (value === null) throw new PoisonMessageError('data_missing', 'the message has no value');
  const contentType = required('content-type');
  const causationId = header('ce_causationid');
  const traceparent = header('traceparent');
  return {
    id: required('ce_id'),
    source: required('ce_source'),
    type: required('ce_type'),
    subject: required('ce_subject'),
    time: required('ce_time'),
    tenantId,
    correlationId: required('ce_correlationid'),
    ...(causationId === undefined ? {} : { causationId }),
    ...(traceparent === undefined ? {} : { traceparent }),
    contentType,
    data: isJson(contentType) ? parseJson(value) : value,
  };
}

function parseJson(value: Buffer): unknown {
  try {
    return JSON.parse(value.toString('utf8'));
  } catch (cause) {
    throw new PoisonMessageError('data_invalid', 'the value is not JSON', { cause });
  }
}
