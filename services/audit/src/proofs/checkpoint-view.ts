import { z } from 'zod';
import type { SignedCheckpoint } from '../log/checkpoint.ts';

export const checkpointView = z.object({
  number: z.number(),
  time: z.string(),
  keyId: z.string(),
  root: z.string(),
  chains: z.array(
    z.object({ chain: z.string(), size: z.number(), head: z.string(), time: z.string(), root: z.string() }),
  ),
  jws: z.string().describe('What was signed: a compact JWS; /.well-known/reeve-audit-keys has the key'),
});

export function viewOf(checkpoint: SignedCheckpoint): z.infer<typeof checkpointView> {
  const { number, time, keyId, jws, content } = checkpoint;
  return { number, time, keyId, root: content.root, chains: content.chains, jws };
}

/** Of the path. 0, which no checkpoint has, where it is no number. */
export const numberIn = (text: string): number => (/^[1-9]\d{0,14}$/.test(text) ? Number(text) : 0);
