// A form that is posted to a protocol's endpoint.
import type { Request } from 'express';
import { textReader } from '../read-text.ts';

export const formType = 'application/x-www-form-urlencoded';

/** `limit` as express has it: `56kb`. What reads throws `content_type_unsupported` for what is no form. */
export function formReader(limit: string): (request: Request) => Promise<URLSearchParams> {
  const read = textReader(formType, limit);
  return async request => new URLSearchParams(await read(request));
}
