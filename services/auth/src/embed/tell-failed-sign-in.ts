// A page that waits for a sign-in hears of its failure when it fails, not only when the person has read why and goes
// back. Its window cannot tell it (hand-off.ts). It hears what it is told when the person goes back, under the same
// conditions: it is the page that has begun the sign-in, and this the browser that it was begun in.
import type { SignInCause } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { Request } from 'express';
import type { BegunHere } from './begun-here.ts';
import { codeOf } from './codes.ts';
import { callbackPath } from './embed.ts';
import type { EmbedDirectory } from './embed-directory.ts';
import type { EmbedRequests } from './embed-request.ts';
import type { HandOffs } from './hand-off.ts';

type Parts = {
  issuer: string;
  tenants: TenantDirectory;
  embeds: EmbedDirectory;
  requests: EmbedRequests;
  begunHere: BegunHere;
  handOff: HandOffs;
  now: () => number;
};

/** `params` are those of the authorization request, of which `assertEmbedded` has seen that its state is its own. */
type Failed = { request: Request; params: Readonly<Record<string, unknown>>; cause: SignInCause };

export type TellFailedSignIn = ReturnType<typeof createTellFailedSignIn>;

export const createTellFailedSignIn =
  ({ issuer, tenants, embeds, requests, begunHere, handOff, now }: Parts) =>
  async ({ request, params, cause }: Failed): Promise<void> => {
    if (params['redirect_uri'] !== issuer + callbackPath) return;
    const asked = requests.open(String(params['state']));
    // A page that was left is told when it is come back to.
    if (!asked?.page || asked.returnTo !== null || asked.until <= now()) return;
    const { page, begunBy, domain } = asked;
    if (begunBy === null || !begunHere.isMarked(request, begunBy)) return;
    const tenant = await tenants.findNamed(domain);
    if (tenant?.status !== 'active') return;
    const { enabled, origins } = await embeds.of(tenant.id);
    if (enabled && origins.includes(page.origin))
      await handOff.leave(page, { error: codeOf({ error: '', cause }), cause });
  };
