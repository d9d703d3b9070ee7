// Protects a handler of the fetch style, `(Request) => Response`: Hono, Deno, Bun, Next.js and the like.
import { refusalOf } from './challenge.ts';
import type { Identity } from './identity.ts';
import type { Requirement } from './requirement.ts';
import type { Verifier } from './verifier.ts';

export type FetchHandler = (request: Request, caller: Identity) => Response | Promise<Response>;

/** As `protect` of `@reeve/sdk/express`. */
export function protectFetch(
  verifier: Pick<Verifier, 'authenticate'>,
  handler: FetchHandler,
  requirement: Requirement = {},
): (request: Request) => Promise<Response> {
  // A fetch request has one value of a header, in which several are joined by commas; those are refused as one.
  const valuesOf = (request: Request, name: string) => {
    const value = request.headers.get(name);
    return value === null ? [] : [value];
  };
  return async request => {
    const authorization = valuesOf(request, 'authorization');
    let caller: Identity;
    try {
      const { method, url } = request;
      const presented = { authorization, dpop: valuesOf(request, 'dpop'), method, url };
      caller = await verifier.authenticate(presented, requirement);
    } catch (error) {
      const refusal = refusalOf(error, authorization[0]);
      if (!refusal) throw error;
      return new Response(refusal.body, { status: refusal.status, headers: refusal.headers });
    }
    return handler(request, caller);
  };
}
