import { listedSigningKey, platformRoute, signingKeyRotation } from '@reeve/service-kit';
import { z } from 'zod';
import type { SigningKeys } from '../log/signing-key.ts';

type Parts = { keys: Pick<SigningKeys, 'list' | 'rotate'> };

const listed = z.object({
  items: z.array(
    z.object({
      ...listedSigningKey,
      use: z.literal('checkpoints'),
      until: z.null().describe('Never: what it has signed has to verify for as long as somebody holds it'),
      compromisedAt: z.string().nullable(),
    }),
  ),
});

const inOrder = ({ keys }: Parts) => ({
  items: keys.list().map(key => ({ ...key, use: 'checkpoints' as const, until: null })),
});

export const listSigningKeys = (parts: Parts) =>
  platformRoute({
    method: 'get',
    path: '/v1/audit-signing-keys',
    summary: 'List the keys that sign checkpoints, exports, tombstones and viewer tokens, by stage',
    action: 'signing-keys:read',
    response: listed,
    handle: async () => ({ body: inOrder(parts) }),
  });

export const rotateSigningKey = (parts: Parts) =>
  platformRoute({
    method: 'post',
    path: '/v1/audit-signing-keys:rotate',
    summary: 'Have another key sign what is said of logs; it is shown for leadSeconds before it does',
    action: 'signing-keys:write',
    body: z.strictObject({
      ...signingKeyRotation({
        leadSeconds: 'Longer than verifiers keep the keys: they may for 300 seconds',
        compromised: 'It signs at once; viewer tokens of the one before count no more, and its key says since when',
      }),
    }),
    response: listed,
    async handle({ body: { leadSeconds, compromised }, cause }) {
      const because = compromised ? 'compromised' : 'requested';
      await parts.keys.rotate(cause, { because, leadMs: leadSeconds * 1_000 });
      return { body: inOrder(parts) };
    },
  });
