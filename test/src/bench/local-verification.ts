// Verifying an access token at an API, by the SDK with everything that it looks at, and by jose alone.
import { platformApi } from '@reeve/local/seed';
import { createVerifier, revocationFeed } from '@reeve/sdk';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { freshTenant } from '../support/running-system.ts';
import type { Bench, BenchContext } from './bench-context.ts';

const rounds = 6;
const tokensEach = 2_000;

type Registered = { clientId: string; clientSecret: string };

export const localVerification: Bench = {
  name: 'sdk: local verification',
  unit: 'tokens/s',
  floorIs: 'bare jose: jwtVerify with issuer, audience, algorithm and type, over the same remote key set',
  wanted: 0.9,
  async run({ credentials }: BenchContext) {
    const { auth } = credentials.urls;
    const { issuer } = credentials;
    const audience = `https://bench-${Date.now()}.product.example`;
    const platform = platformApi(credentials);
    const { tenant } = await freshTenant(credentials, 'bench-sdk');
    await platform.post(`${auth}/v1/resource-servers`, { name: 'Bench', identifier: audience, scopes: [] });
    const machine = { name: 'Bench', kind: 'machine', tenants: 'all', grantTypes: ['client_credentials'] };
    const { clientId, clientSecret } = await platform.post<Registered>(`${auth}/v1/applications`, machine);
    const response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        resource: audience,
        scope: `tenant:${tenant.id}`,
      }),
    });
    const { access_token: token = '' } = (await response.json()) as { access_token?: string };
    const verifier = createVerifier({
      issuer,
      audience,
      revocations: { from: revocationFeed({ clientId, clientSecret }), staleAfterMs: 10_000 },
    });
    await verifier.start();
    const keys = createRemoteJWKSet(new URL(`${issuer}/jwks`));
    const bare = () => jwtVerify(token, keys, { issuer, audience, algorithms: ['ES256'], typ: 'at+jwt' });
    const timed = async (verify: () => Promise<unknown>) => {
      const began = performance.now();
      for (let n = 0; n < tokensEach; n += 1) await verify();
      return performance.now() - began;
    };
    let [oursMs, floorMs] = [0, 0];
    // The first round is for the compiler.
    for (let round = 0; round <= rounds; round += 1) {
      const ours = await timed(() => verifier.verify(token));
      const floor = await timed(bare);
      if (round === 0) continue;
      oursMs += ours;
      floorMs += floor;
    }
    await verifier.stop();
    const perSecond = (ms: number) => (rounds * tokensEach) / (ms / 1_000);
    return { ours: perSecond(oursMs), floor: perSecond(floorMs), details: { tokens: rounds * tokensEach } };
  },
};
