// Protects a handler of the fetch style, `(Request) => Response`: Hono, Deno, Bun, Next.js and the like.
import { type Protection, refusalOf } from './challenge.ts';
import type { Identity } from './identity.ts';
import type { Verifier } from './verifier.ts';

export type FetchHandler = (request: Request, caller: Identity) => Response | Promise<Response>;

/** As `protect` of `@reeve/sdk/express`. */
export function protectFetch(
  verifier: Pick<Verifier, 'authenticate'>,
  handler: FetchHandler,
  protection: Protection = {},
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
      caller = await verifier.authenticate(presented, protection);
    } catch (error) {
      const refusal = refusalOf(error, { authorization: authorization[0], protection });
      if (!refusal) throw error;
      return new Response(refusal.body, { status: refusal.status, headers: refusal.headers });
    }
    return handler(request, caller);
  };
}
