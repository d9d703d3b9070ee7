// The edge where errors become answers: application/problem+json (RFC 9457) with a stable code. What is not foreseen is
// 500 without detail; nothing of the cause is shown.
import { type FieldError, JsonError, ProblemError, problems } from '@reeve/contracts';
import { isKafkaUnavailable } from '@reeve/event-bus';
import { isStoreUnavailable, VersionConflictError } from '@reeve/store';
import type { Response } from 'express';
import type { z } from 'zod';
import { traceIdOf } from './trace-context.ts';

export function fieldErrors(error: z.ZodError, within = ''): FieldError[] {
  return error.issues.flatMap(issue => {
    const path = [within, ...issue.path.map(String)].filter(part => part !== '');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map(key => ({ field: [...path, key].join('.'), message: 'is not a known field' }));
    }
    return [{ field: path.join('.') || 'body', message: issue.message }];
  });
}

export function toProblem(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof VersionConflictError) {
    return new ProblemError(error.expected === undefined ? 'conflict' : 'precondition_failed', undefined, {
      cause: error,
    });
  }
  if (isStoreUnavailable(error) || isKafkaUnavailable(error)) {
    return new ProblemError('dependency_unavailable', undefined, { cause: error, retryAfterSeconds: 2 });
  }
  // Errors of body-parser carry the status they stand for.
  const status = (error as { status?: unknown } | null)?.status;
  if (status === 413) return new ProblemError('body_too_large', undefined, { cause: error });
  if (status === 415) return new ProblemError('content_type_unsupported', undefined, { cause: error });
  if (typeof status === 'number' && status >= 400 && status < 500) {
    const detail = error instanceof JsonError ? error.message : undefined;
    return new ProblemError('body_malformed', detail, { cause: error });
  }
  // zlib's have none: what it could not unpack was not packed well.
  if (/^Z_|^ERR_(_ZLIB|BROTLI|_ERROR_FORMAT)/.test((error as NodeJS.ErrnoException | null)?.code ?? ''))
    return new ProblemError('body_malformed', undefined, { cause: error });
  if (error instanceof URIError) return new ProblemError('not_found', undefined, { cause: error });
  return new ProblemError('internal', undefined, { cause: error });
}

/** Somebody may send nothing but faults. */
const mostErrors = 50;
const longestField = 200;

const shortened = ({ field, message }: FieldError): FieldError => ({ field: field.slice(0, longestField), message });

/** Its body; `sendError` sets the headers that all families share. */
export function sendProblem(response: Response, problem: ProblemError): void {
  const [status, title] = problems[problem.code];
  response
    .status(status)
    .type('application/problem+json')
    .send(
      JSON.stringify({
        type: `urn:reeve:problem:${problem.code}`,
        title,
        status,
        code: problem.code,
        detail: problem.message,
        traceId: response.req ? traceIdOf(response.req) : null,
        ...(problem.errors ? { errors: problem.errors.slice(0, mostErrors).map(shortened) } : {}),
      }),
    );
}
