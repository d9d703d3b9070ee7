// A realm of Keycloak for each file of tests, made and changed by its admin REST API. Knows Keycloak's words and
// nothing of Reeve.
import { randomBytes } from 'node:crypto';
import type { Keycloak } from '@reeve/local/keycloak';

export type Person = { username: string; password: string; email: string; firstName: string; lastName: string };

export const ada: Person = {
  username: 'ada',
  password: 'a correct horse',
  email: 'ada@acme.example',
  firstName: 'Ada',
  lastName: 'Lovelace',
};

/** The algorithms of ID tokens that Reeve takes. */
export type Algorithm = 'RS256' | 'PS256' | 'ES256' | 'EdDSA';

export type Realm = Awaited<ReturnType<typeof createRealm>>;

export type Admin = {
  /** `path` is below the realm, and a text is sent as it is. Throws for anything but a 2xx. */
  ask<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** The id of what was made. */
  make(path: string, body: unknown): Promise<string>;
};

const keyProvider = 'org.keycloak.keys.KeyProvider';

function adminOf(keycloak: Keycloak, realm: string): Admin {
  /** It lives for a minute: each call takes one of its own. */
  async function token(): Promise<string> {
    const response = await fetch(`${keycloak.url}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: keycloak.clientId,
        client_secret: keycloak.clientSecret,
      }),
    });
    return ((await response.json()) as { access_token: string }).access_token;
  }

  async function send(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${keycloak.url}/admin/realms${realm === '' ? '' : `/${realm}`}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await token()}`,
        'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`Keycloak: ${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  return {
    async ask<T>(method: string, path: string, body?: unknown) {
      const text = await (await send(method, path, body)).text();
      return (text === '' ? null : JSON.parse(text)) as T;
    },
    async make(path, body) {
      const location = (await send('POST', path, body)).headers.get('location') ?? '';
      return location.slice(location.lastIndexOf('/') + 1);
    },
  };
}

export async function createRealm(keycloak: Keycloak) {
  const name = `peers-${randomBytes(4).toString('hex')}`;
  await adminOf(keycloak, '').ask('POST', '', { realm: name, enabled: true, sslRequired: 'none' });
  const admin = adminOf(keycloak, name);
  const { id: parentId } = await admin.ask<{ id: string }>('GET', '');
  let keys = 0;

  return {
    name,
    admin,
    /** As it calls itself in ID tokens. */
    issuer: `${keycloak.url}/realms/${name}`,

    /** Who can sign in at once: a name or an address that is missing would have them asked for it first. */
    addPerson: ({ password, ...person }: Person & { emailVerified?: boolean }): Promise<string> =>
      admin.make('/users', {
        enabled: true,
        emailVerified: true,
        ...person,
        credentials: [{ type: 'password', value: password, temporary: false }],
      }),

    changePerson: (id: string, change: { enabled?: boolean; emailVerified?: boolean }) =>
      admin.ask('PUT', `/users/${id}`, change),

    /** A key that is taken before all that are there. The others are still published. */
    addKey: (algorithm: 'RS256' | 'ES256'): Promise<string> => {
      keys += 1;
      const [providerId, special] =
        algorithm === 'RS256'
          ? ['rsa-generated', { algorithm: ['RS256'], keySize: ['2048'] }]
          : ['ecdsa-generated', { ecdsaEllipticCurveKey: ['P-256'] }];
      const config = { priority: [String(1_000 + keys)], enabled: ['true'], active: ['true'], ...special };
      return admin.make('/components', {
        name: `rotated-${keys}`,
        providerId,
        providerType: keyProvider,
        parentId,
        config,
      });
    },

    /** Of what it signs with now, by algorithm. */
    activeKeys: async (): Promise<Record<string, string>> =>
      (await admin.ask<{ active: Record<string, string> }>('GET', '/keys')).active,
  };
}
