// Reeve as a receiver of Keycloak's security events, as docs/revocation.md has an administrator set it up there.
import { samplesIn } from '../support/published-sdk.ts';
import type { OidcClient } from './keycloak-oidc-client.ts';
import type { Realm } from './keycloak-realm.ts';

type Attributes = { attributes: Record<string, string> };

const samples = samplesIn('docs/revocation.md');
/** What stands in them for the URL of a connection. */
const sampleUrl = /https:\/\/auth\.example\/signals\/[^"]+/g;
const sampleOf = (name: string, url: string) =>
  JSON.parse((samples.get(name) ?? '').replaceAll(sampleUrl, url)) as object;

/** The others of the realm would be taken away where they are not said. */
export async function letTransmit({ admin }: Realm): Promise<void> {
  const realm = await admin.ask<Attributes>('GET', '');
  await admin.ask('PUT', '', { ...realm, attributes: { ...realm.attributes, 'ssf.transmitterEnabled': 'true' } });
}

type Wanted = {
  /** To which it pushes. */
  url: string;
  /** What is set otherwise than in the sample. */
  attributes?: Record<string, string>;
  events?: readonly string[];
};

/** The client that Reeve is there is told, by a stream that Keycloak's administrator makes. */
export async function addReceiver({ admin }: Realm, known: OidcClient, { url, attributes = {}, events }: Wanted) {
  const sample = sampleOf('client.json', url) as Attributes;
  await known.change({ attributes: { ...sample.attributes, ...attributes } });
  const stream = `/ssf/clients/${known.clientId}/stream`;
  const asked = sampleOf('stream.json', url);
  await admin.ask('POST', stream, events ? { ...asked, events_requested: events } : asked);
  return {
    /** Whether Reeve takes what Keycloak sends to see whether it does. */
    verifies: (): Promise<boolean> =>
      admin.ask('POST', `${stream}/verify`).then(
        () => true,
        () => false,
      ),
    remove: () => admin.ask('DELETE', stream),
  };
}
