// Protects an API on Express, or on anything that takes middleware of Node's requests and answers.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Protection, refusalOf } from './challenge.ts';
import type { Identity } from './identity.ts';
import type { ProtectedResource } from './protected-resource.ts';
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
export type ExpressRequirement<R> = Omit<Protection, 'tenantId'> & { tenantOf?: (request: R) => string };

/**
 * Lets in whoever has a good access token that meets the requirement, as `request.reeve`, and answers everybody else
 * with a challenge: 401, 403, 404 for what is another tenant's, and 503 while it is not known what is revoked.
 */
export function protect<R extends IncomingMessage = ExpressRequest>(
  verifier: Pick<Verifier, 'authenticate'>,
  { tenantOf, ...protection }: ExpressRequirement<R> = {},
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
      asked.reeve = await verifier.authenticate(presented, { ...protection, ...tenant });
    } catch (error) {
      const refusal = refusalOf(error, { authorization: authorization[0], protection });
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

/**
 * Answers what the API says of itself, at the path that RFC 9728 §3.1 has for it, to whoever asks. Mount it at the root
 * of the host.
 */
export function protectedResourceMetadata({ metadataUrl, metadata }: ProtectedResource) {
  const { pathname, search } = new URL(metadataUrl);
  const headers = {
    'content-type': 'application/json',
    'cache-control': 'max-age=300',
    // Clients in browsers read it as well.
    'access-control-allow-origin': '*',
  };
  return (request: ExpressRequest, response: ServerResponse, next: Next): void => {
    const isRead = request.method === 'GET' || request.method === 'HEAD';
    if (!isRead || (request.originalUrl ?? request.url) !== pathname + search) return next();
    response.writeHead(200, headers).end(request.method === 'GET' ? JSON.stringify(metadata) : undefined);
  };
}
