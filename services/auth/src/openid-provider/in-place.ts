// A request that takes the place of the one that came.
import { IncomingMessage } from 'node:http';
import type { Request } from 'express';

type Changed = { method?: string; url?: string; headers?: IncomingMessage['headers']; body?: Buffer };

/** Of the same browser or client, with what is changed; without a body where none is given. */
export function inPlaceOf(request: Request, changed: Changed): IncomingMessage {
  const { method = request.method, url = request.url, headers = request.headers, body } = changed;
  const copy = new IncomingMessage(request.socket);
  Object.assign(copy, { method, url, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1, complete: true });
  const { 'transfer-encoding': _, 'content-length': __, ...rest } = headers;
  copy.headers = body ? { ...rest, 'content-length': String(body.length) } : rest;
  if (body) copy.push(body);
  copy.push(null);
  return copy;
}
