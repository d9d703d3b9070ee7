import { listedSigningKey, platformRoute, signingKeyRotation } from '@reeve/service-kit';
import { z } from 'zod';
import type { Use } from './signing-key.ts';
import type { SigningKeys } from './signing-keys.ts';

type Parts = { keys: SigningKeys };

const names = { access_token: 'accessToken', id_token: 'idToken' } as const satisfies Record<string, Use>;
const nameOf = (use: Use) => (use === 'accessToken' ? 'access_token' : 'id_token');

const listed = z.object({
  items: z.array(
    z.object({
      ...listedSigningKey,
      use: z.string(),
      createdAt: z.string(),
      until: z.string().nullable(),
    }),
  ),
});

const inOrder = ({ keys }: Parts) => ({
  items: keys.list().map(({ use, ...key }) => ({ ...key, use: nameOf(use) })),
});

export const listSigningKeys = (parts: Parts) =>
  platformRoute({
    method: 'get',
    path: '/v1/signing-keys',
    summary: 'List the keys that sign tokens, by stage',
    action: 'signing-keys:read',
    response: listed,
    handle: async () => ({ body: inOrder(parts) }),
  });

export const rotateSigningKey = (parts: Parts) =>
  platformRoute({
    method: 'post',
    path: '/v1/signing-keys:rotate',
    summary: 'Have another key sign tokens; it is shown for leadSeconds before it does',
    action: 'signing-keys:write',
    body: z.strictObject({
      use: z.enum(['access_token', 'id_token']),
      ...signingKeyRotation({
        leadSeconds: 'Longer than verifiers keep keys',
        compromised: 'It signs at once, and nothing that those before have signed counts',
      }),
    }),
    response: listed,
    async handle({ body: { use, leadSeconds, compromised }, cause }) {
      const because = compromised ? 'compromised' : 'requested';
      await parts.keys.rotate(names[use], cause, { because, leadMs: leadSeconds * 1_000 });
      return { body: inOrder(parts) };
    },
  });
