// Protects an API on Express, or on anything that takes middleware of Node's requests and answers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { refusalOf } from './challenge.ts';
import type { Identity } from './identity.ts';
import type { Requirement } from './requirement.ts';
import type { Verifier } from './verifier.ts';

declare global {
  namespace Express {
    interface Request {
      /** Who calls, behind `protect`. */
      reeve?: Identity;
    }
  }
}

type ExpressRequest = IncomingMessage & { originalUrl?: string; reeve?: Identity };
type Next = (error?: unknown) => void;

/** What an operation asks; `tenantId` may come from the request, such as from its path. */
export type ExpressRequirement<R> = Omit<Requirement, 'tenantId'> & { tenantOf?: (request: R) => string };

/**
 * Lets in whoever has a good access token that meets the requirement, as `request.reeve`, and answers everybody else
 * with a challenge: 401, 403, 404 for what is another tenant's, and 503 while it is not known what is revoked.
 */
export function protect<R extends IncomingMessage = ExpressRequest>(
  verifier: Pick<Verifier, 'authenticate'>,
  { tenantOf, ...requirement }: ExpressRequirement<R> = {},
) {
  return async (request: R, response: ServerResponse, next: Next): Promise<void> => {
    const asked: ExpressRequest = request;
    const { authorization = [], dpop = [] } = request.headersDistinct;
    try {
      const presented = {
        authorization,
        dpop,
        method: request.method ?? '',
        url: asked.originalUrl ?? request.url ?? '',
      };
      const tenant = tenantOf ? { tenantId: tenantOf(request) } : {};
      asked.reeve = await verifier.authenticate(presented, { ...requirement, ...tenant });
    } catch (error) {
      const refusal = refusalOf(error, authorization[0]);
      if (!refusal) return next(error);
      response.writeHead(refusal.status, refusal.headers).end(refusal.body);
      return;
    }
    next();
  };
}

/** Who calls. Throws where `protect` does not stand before the handler. */
export function callerOf(request: IncomingMessage & { reeve?: Identity }): Identity {
  if (!request.reeve) throw new Error('nobody is known here: protect(…) is missing before this handler');
  return request.reeve;
}
