// What is asked of a service when another key is to sign, and what is told of its keys: the same wherever there are
// some.
import { z } from 'zod';

/** By then every instance shows it, and whoever verifies can ask for it. */
const shortestLead = 5;
const longestLead = 7 * 86_400;

/** Fields of a body. In words, how long the key before it has to be shown, and what a compromised one means here. */
export const signingKeyRotation = (means: { leadSeconds: string; compromised: string }) => ({
  leadSeconds: z.number().int().min(shortestLead).max(longestLead).default(600).describe(means.leadSeconds),
  compromised: z.boolean().default(false).describe(means.compromised),
});

/** Fields of each key that is listed. */
export const listedSigningKey = {
  keyId: z.string(),
  algorithm: z.string(),
  stage: z.string().describe('next: shown, and does not sign yet; signing; verifying: shown for what it has signed'),
  activeFrom: z.string(),
};
