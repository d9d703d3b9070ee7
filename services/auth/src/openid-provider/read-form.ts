// A form that is posted to a protocol's endpoint.
import { ProblemError } from '@reeve/contracts';
import express, { type Request, type Response } from 'express';

export const formType = 'application/x-www-form-urlencoded';

/** `limit` as express has it: `56kb`. What reads throws `content_type_unsupported` for what is no form. */
export function formReader(limit: string): (request: Request) => Promise<URLSearchParams> {
  const parse = express.text({ type: formType, limit });
  return request =>
    new Promise((resolve, reject) => {
      parse(request, request.res as Response, error => {
        const body: unknown = request.body;
        if (error !== undefined) reject(error);
        else if (typeof body === 'string') resolve(new URLSearchParams(body));
        else reject(new ProblemError('content_type_unsupported'));
      });
    });
}
