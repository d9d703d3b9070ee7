// Completing an OpenID Connect callback, against what openid-client does of it by itself.
import type { Bench } from './bench-context.ts';
import { runBeside } from './beside.ts';

export const oidcCallback: Bench = {
  name: 'auth: oidc callback',
  unit: 'callbacks/s',
  floorIs: 'bare openid-client with its check of the signature, which reads nothing of who somebody is',
  wanted: 0.6,
  async run() {
    const { ours, bare } = await runBeside('services/auth/src/connections/kinds/oidc/callback.test-support.ts');
    return { ours, floor: bare, details: {} };
  },
};
