// A body that is read as it was sent, for what verifies or parses it by itself.
import { ProblemError } from '@reeve/contracts';
import express, { type Request, type Response } from 'express';

/** `limit` as express has it: `56kb`. What reads throws `content_type_unsupported` for any other type. */
export function textReader(type: string, limit: string): (request: Request) => Promise<string> {
  const parse = express.text({ type, limit });
  return request =>
    new Promise((resolve, reject) => {
      parse(request, request.res as Response, error => {
        const body: unknown = request.body;
        if (error !== undefined) reject(error);
        else if (typeof body === 'string') resolve(body);
        else reject(new ProblemError('content_type_unsupported'));
      });
    });
}
