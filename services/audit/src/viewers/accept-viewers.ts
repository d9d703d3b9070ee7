// How a viewer token comes in: beside the access tokens of the issuer, and from a browser only of the origins that it names (CORS).
import type { VerifyToken } from '@reeve/service-kit';
import type { RequestHandler } from 'express';
import { callerOf, looksLikeViewerToken, readViewerToken } from './viewer-token.ts';

type Parts = Parameters<typeof readViewerToken>[0];

export const orViewer =
  (parts: Parts, verifyToken: VerifyToken): VerifyToken =>
  async token =>
    looksLikeViewerToken(token) ? callerOf(await readViewerToken(parts, token)) : verifyToken(token);

const logPath = /^\/v1\/tenants\/[^/]+\/audit\//;
const preflightSeconds = '600';

/** A preflight carries no token and grants nothing: what the request may, its own answer says. */
export const crossOrigin =
  (parts: Parts): RequestHandler =>
  async (request, response, next) => {
    const origin = request.get('Origin');
    if (origin === undefined || !logPath.test(request.path)) return next();
    response.vary('Origin');
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Access-Control-Allow-Methods', 'GET');
      response.setHeader('Access-Control-Allow-Headers', 'Authorization');
      response.setHeader('Access-Control-Max-Age', preflightSeconds);
      return void response.status(204).end();
    }
    const token = /^Bearer (\S+)$/i.exec(request.get('Authorization') ?? '')?.[1];
    if (token === undefined || !looksLikeViewerToken(token)) return next();
    const found = await readViewerToken(parts, token).catch(() => null);
    if (found?.viewer.origins.includes(origin)) {
      response.setHeader('Access-Control-Allow-Origin', origin);
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    }
    next();
  };
