// APIs, applications and requests for the tests of exchanged tokens.
import type { Application, Auth } from '../auth.test-support.ts';

const grantType = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const typeOf = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;

type Asking = { subject: string; resource: string; headers?: Record<string, string>; form?: Record<string, string> };

let count = 0;

export function exchanging(auth: Auth) {
  async function post(form: URLSearchParams | Record<string, string>, by: Application, headers = {}) {
    const response = await fetch(`${auth.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}`, ...headers },
      body: new URLSearchParams(form),
    });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  }

  const formOf = ({ subject, resource, form = {} }: Asking) => ({
    grant_type: grantType,
    subject_token: subject,
    subject_token_type: typeOf('access_token'),
    resource,
    ...form,
  });

  return {
    post,
    formOf,

    exchange: (by: Application, asking: Asking) => post(formOf(asking), by, asking.headers),

    async newApi(settings: object): Promise<{ id: string; resource: string }> {
      count += 1;
      const identifier = `https://exchange${count}.myproduct.example`;
      const { status, body } = await auth.ask<{ id: string }>('POST', '/v1/resource-servers', {
        as: await auth.asPlatform(),
        body: { name: `API ${count}`, identifier, ...settings },
      });
      if (status !== 201) throw new Error(JSON.stringify(body));
      return { id: body.id, resource: identifier };
    },

    change: async (path: string, body: object | null) =>
      auth.ask<{ code?: string; errors?: { field: string }[] }>(body ? 'PATCH' : 'DELETE', path, {
        as: await auth.asPlatform(),
        ...(body ? { body } : {}),
      }),

    /** One that exchanges, and does nothing else. */
    newExchanger: (tenantId: Parameters<Auth['newApplication']>[0] = null) =>
      auth.newApplication(tenantId, {
        kind: 'machine',
        grantTypes: ['token_exchange', 'client_credentials'],
        redirectUris: [],
      }),

    async introspect(by: Application, token = ''): Promise<Record<string, unknown>> {
      const answer = await fetch(`${auth.url}/token/introspection`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}` },
        body: new URLSearchParams({ token }),
      });
      return (await answer.json()) as Record<string, unknown>;
    },
  };
}
