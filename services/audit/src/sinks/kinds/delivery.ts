// What every kind of sink has in common: a batch in, and either all of it is there when it comes back, or an error
// says why and when to try again.
import { ProblemError, type TenantId } from '@reeve/contracts';
import type { GuardedNetwork } from '@reeve/service-kit/outbound';
import { z } from 'zod';
import type { IsolatedProcesses } from '../isolation/isolated-processes.ts';

export type StoredObject = { path: string; contentType: string; body: Buffer };

export type Batch = {
  /** The same for the same records, so that a receiver recognises a repetition. */
  id: string;
  tenantId: TenantId;
  lines: readonly { id: string; text: string }[];
  /** For an object store, which takes them instead of lines. */
  objects?: readonly StoredObject[];
};

/** Lines that the receiver will never take, however often they come. */
type Delivered = { refused: readonly { id: string; reason: string }[] };

/** The ways out: a peer that is not ours is reached by nothing else. */
export type Outside = { network: GuardedNetwork; processes: IsolatedProcesses };

export type Deliver<T> = (
  outside: Outside,
  to: { target: T; credential: string | null },
  batch: Batch,
) => Promise<Delivered>;

/** docs/sinks.md says what to do about each code. */
export const sinkErrorCode = z.enum([
  'unreachable',
  'unauthorized',
  'refused',
  'too_large',
  'busy',
  'protocol',
  'internal',
]);
export type SinkErrorCode = z.infer<typeof sinkErrorCode>;

export class SinkError extends Error {
  readonly code: SinkErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(
    code: SinkErrorCode,
    detail: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = 'SinkError';
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}

const all: Delivered = { refused: [] };
export const delivered = all;

function retryAfterOf(response: Response): number | undefined {
  const header = response.headers.get('Retry-After');
  if (header === null) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/**
 * Sends, and makes of every answer but a 2xx an error that says what it means. What the receiver wrote is not shown:
 * it is a stranger's text.
 */
export async function send(
  { fetch }: GuardedNetwork,
  url: string,
  { method, headers, body }: { method: 'POST' | 'PUT'; headers: Record<string, string>; body: string | Buffer },
): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { method, headers, body: body as string });
  } catch (cause) {
    throw notReached(cause);
  }
  if (response.ok) return response;
  const { status } = response;
  const said = `it answered ${status}`;
  const retryAfterMs = retryAfterOf(response);
  if (status === 401 || status === 403) throw new SinkError('unauthorized', said);
  if (status === 413) throw new SinkError('too_large', said);
  if (status === 408 || status === 429 || status >= 500) throw new SinkError('busy', said, { retryAfterMs });
  throw new SinkError('refused', said);
}

export const post = (network: GuardedNetwork, url: string, what: { headers: Record<string, string>; body: string }) =>
  send(network, url, { method: 'POST', ...what });

/** Why there is no answer. The guard's refusal comes as it is, or as the cause of a failed fetch. */
export function notReached(error: unknown): SinkError {
  const { cause } = error as Error;
  const refusal = [error, cause].find(one => one instanceof ProblemError && one.code === 'url_refused');
  if (refusal instanceof ProblemError) return new SinkError('refused', refusal.message, { cause: error });
  const { code } = (cause ?? error) as NodeJS.ErrnoException;
  if (code !== undefined && /CERT|SELF_SIGNED|ALTNAME|UNABLE_TO/.test(code))
    return new SinkError('unauthorized', `its certificate: ${code}`, { cause: error });
  return new SinkError('unreachable', code === undefined ? 'it does not answer' : `it does not answer: ${code}`, {
    cause: error,
  });
}
