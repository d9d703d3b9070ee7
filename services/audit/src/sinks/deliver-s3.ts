// An object store that speaks S3: objects by PUT, signed with AWS Signature Version 4, addressed by path. What it stores is decided by `hourly-objects.ts`.
import { gzipSync } from 'node:zlib';
import { Hash } from '@smithy/hash-node';
import { SignatureV4 } from '@smithy/signature-v4';
import { type Deliver, delivered, SinkError, type StoredObject, send } from './delivery.ts';
import type { TargetOf } from './sink.ts';

type To = { target: TargetOf<'s3'>; accessKeyId: string; secretAccessKey: string };

/** As S3 encodes a path: everything but what RFC 3986 leaves unreserved. */
const encoded = (path: string) =>
  path
    .split('/')
    .map(part =>
      encodeURIComponent(part).replaceAll(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('/');

/** `<access key id>:<secret access key>`; null where it is not. */
export function accessKeyIn(credential: string): { accessKeyId: string; secretAccessKey: string } | null {
  const [, accessKeyId, secretAccessKey] = /^([^\s:]{1,200}):(\S{1,1000})$/.exec(credential) ?? [];
  return accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : null;
}

export const deliverS3: Deliver<TargetOf<'s3'>> = async (
  network,
  { target, credential },
  { id, tenantId, ...batch },
) => {
  const key = accessKeyIn(credential ?? '');
  if (!key) throw new SinkError('protocol', 'the sink has no access key');
  const lines = batch.lines.map(({ text }) => `${text}\n`).join('');
  const objects = batch.objects ?? [
    { path: `test/${id}.ndjson.gz`, contentType: 'application/gzip', body: gzipSync(lines) },
  ];
  for (const object of objects) {
    const path = `${target.prefix}${tenantId}/${object.path}`;
    await put(network, { target, ...key }, { ...object, path });
  }
  return delivered;
};

async function put(
  network: Parameters<Deliver<TargetOf<'s3'>>>[0],
  { target, ...credentials }: To,
  { path, contentType, body }: StoredObject,
): Promise<void> {
  const url = new URL(`/${target.bucket}/${encoded(path)}`, target.url);
  const signer = new SignatureV4({
    service: 's3',
    region: target.region,
    credentials,
    sha256: Hash.bind(null, 'sha256'),
    // S3 signs the path as it is sent, encoded once.
    uriEscapePath: false,
  });
  const { headers } = await signer.sign({
    method: 'PUT',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: {},
    headers: { host: url.host, 'content-type': contentType, 'content-length': String(body.length) },
    body,
  });
  const { host: _, 'content-length': __, ...sent } = headers;
  await send(network, url.href, { method: 'PUT', headers: sent, body });
}
