// A site of somebody else's behind TLS, such as one where an application says of itself what it is: the services are told
// to trust its certificate, and to let it through. A test serves it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { freePort } from '../ports.ts';

export type TlsSite = { origin: string; port: number; key: string; certificate: string };

export async function newTlsSite(): Promise<TlsSite> {
  const port = await freePort();
  const made = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    curve: 'P-256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  });
  return { origin: `https://localhost:${port}`, port, key: made.private, certificate: made.cert };
}

/** Of the services. */
export function trusting({ certificate }: TlsSite, directory: string): { NODE_EXTRA_CA_CERTS: string } {
  const file = join(directory, 'site.pem');
  writeFileSync(file, certificate);
  return { NODE_EXTRA_CA_CERTS: file };
}
