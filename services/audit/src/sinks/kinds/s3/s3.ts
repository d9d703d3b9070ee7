// An object store that speaks S3: objects by PUT, signed with AWS Signature Version 4, addressed by path. What it
// stores is decided by `hourly-objects.ts`.
import { gzipSync } from 'node:zlib';
import type { GuardedNetwork } from '@reeve/service-kit/outbound';
import { Hash } from '@smithy/hash-node';
import { SignatureV4 } from '@smithy/signature-v4';
import { z } from 'zod';
import { delivered, SinkError, type StoredObject, send } from '../delivery.ts';
import { url } from '../settings.ts';
import { defineSinkKind } from '../sink-kind.ts';

const settings = z.strictObject({
  kind: z.literal('s3'),
  url: url.describe('Of the store, as https://s3.eu-central-1.amazonaws.com'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket'),
  region: z
    .string()
    .regex(/^[a-z0-9-]{1,50}$/, 'must be a region')
    .default('us-east-1'),
  prefix: z
    .string()
    .regex(/^([A-Za-z0-9_.=-]{1,100}\/){0,10}$/, 'must be empty, or end with a slash')
    .default(''),
});

type AccessKey = { accessKeyId: string; secretAccessKey: string };
type To = { target: z.infer<typeof settings>; key: AccessKey };

const keyForm = '<access key id>:<secret access key>';

function accessKeyIn(credential: string): AccessKey | null {
  const [, accessKeyId, secretAccessKey] = /^([^\s:]{1,200}):(\S{1,1000})$/.exec(credential) ?? [];
  return accessKeyId !== undefined && secretAccessKey !== undefined ? { accessKeyId, secretAccessKey } : null;
}

/** As S3 encodes a path: everything but what RFC 3986 leaves unreserved. */
const encoded = (path: string) =>
  path
    .split('/')
    .map(part =>
      encodeURIComponent(part).replaceAll(/[!'()*]/g, one => `%${one.charCodeAt(0).toString(16).toUpperCase()}`),
    )
    .join('/');

async function put(network: GuardedNetwork, { target, key }: To, { path, contentType, body }: StoredObject) {
  const url = new URL(`/${target.bucket}/${encoded(path)}`, target.url);
  const signer = new SignatureV4({
    service: 's3',
    region: target.region,
    credentials: key,
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

export const s3 = defineSinkKind({
  target: settings,
  credentialIs: keyForm,
  credential: () => ({ is: 'given', check: text => (accessKeyIn(text) ? null : keyForm) }),
  formatOf: () => 'ndjson',
  takes: 'hourly objects',
  assertReachable: (network, to) => network.assertUrl(to.url),

  async deliver({ network }, { target, credential }, { id, tenantId, ...batch }) {
    const key = accessKeyIn(credential ?? '');
    if (!key) throw new SinkError('protocol', 'the sink has no access key');
    const lines = batch.lines.map(({ text }) => `${text}\n`).join('');
    const objects = batch.objects ?? [
      { path: `test/${id}.ndjson.gz`, contentType: 'application/gzip', body: gzipSync(lines) },
    ];
    for (const object of objects) {
      const path = `${target.prefix}${tenantId}/${object.path}`;
      await put(network, { target, key }, { ...object, path });
    }
    return delivered;
  },
});
