// An application that has Reeve vouch for its people towards the authorization server of somebody else.
import type { TenantId } from '@reeve/contracts';
import type { Application, Auth } from '../auth.test-support.ts';

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const tokenType = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;

export type Form = Record<string, string | readonly string[]>;
export type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

/** It signs people in, and asks for assertions. */
export const newAsking = (auth: Auth, tenantId: TenantId | null, settings: object = {}) =>
  auth.newApplication(tenantId, {
    kind: 'web',
    grantTypes: ['authorization_code', 'refresh_token', 'token_exchange'],
    ...settings,
  });

export async function vouchFor(auth: Auth, tenantId: TenantId, settings: object) {
  type Said = { id: string; code?: string; errors?: { field: string }[] };
  const path = `/v1/tenants/${tenantId}/vouching-policies`;
  const { status, body } = await auth.ask<Said>('POST', path, { as: await auth.asPlatform(), body: settings });
  return { status, body, id: body.id, path: `${path}/${body.id}` };
}

/** A value that is empty is left out, and one that is a list is said as often. */
export async function askToVouch(auth: Auth, by: Application, form: Form, headers: object = {}): Promise<Answer> {
  const said = new URLSearchParams();
  const all = { grant_type: tokenExchange, requested_token_type: tokenType('id-jag'), ...form };
  for (const [name, value] of Object.entries(all))
    for (const one of [value].flat()) if (one !== '') said.append(name, one);
  const response = await fetch(`${auth.url}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${by.id}:${by.secret}`)}`, ...headers },
    body: said,
  });
  const { status, headers: answered } = response;
  return { status, headers: answered, body: (await response.json()) as Record<string, unknown> };
}
