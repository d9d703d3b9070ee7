// Verifying a SAML response, against what node-saml does of it by itself.
import type { Bench } from './bench-context.ts';
import { runBeside } from './beside.ts';

export const samlResponse: Bench = {
  name: 'auth: saml response',
  unit: 'responses/s',
  floorIs: 'bare node-saml, which checks the same two signatures and less of the rest',
  wanted: 0.6,
  async run() {
    const { ours, bare, bytes } = await runBeside(
      'services/auth/src/connections/kinds/saml/verify-response.test-support.ts',
    );
    return { ours, floor: bare, details: { bytes } };
  },
};
