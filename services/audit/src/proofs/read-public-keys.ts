import { openRoute } from '@reeve/service-kit';
import { z } from 'zod';
import type { SigningKeys } from '../log/signing-key.ts';

const jwkSetType = 'application/jwk-set+json';

export const readPublicKeys = ({ keys }: { keys: Pick<SigningKeys, 'published'> }) =>
  openRoute({
    method: 'get',
    path: '/.well-known/reeve-audit-keys',
    summary: 'The public keys by which checkpoints and manifests are verified, old ones as well: a JWK set (RFC 7517)',
    open: 'a public key is for everybody: who verifies a log need not be known here',
    answer: 'bytes',
    response: z.object({ keys: z.array(z.looseObject({ kid: z.string() })) }),
    produces: [jwkSetType],
    async handle() {
      const set = await keys.published();
      return {
        stream(response) {
          response.setHeader('Cache-Control', 'public, max-age=300');
          response.type(jwkSetType).send(JSON.stringify(set));
        },
      };
    },
  });
