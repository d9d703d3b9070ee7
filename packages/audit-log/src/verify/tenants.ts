// Logs of several tenants in one stream: the topic, or an archive of what several sinks delivered. Each is verified on
// its own.
import type { Line } from '../formats/entry.ts';
import { testChain } from '../record.ts';
import { decodeStatement } from '../statements.ts';
import { createVerifier, type Verifier, type VerifyOptions } from '../verify.ts';
import { findingOf } from './finding.ts';
import { createLog } from './log.ts';
import { readLine } from './read-line.ts';
import { type Verification, verificationOf } from './verification.ts';

export type TenantsOptions = Omit<VerifyOptions, 'of'>;

/**
 * With `tenantId`, of that tenant alone, whose then all checkpoints have to be. Throws StatementError for a checkpoint
 * that is none.
 */
export function createTenants({ tenantId: only, checkpoints = [], ...options }: TenantsOptions) {
  const verifiers = new Map<string, Verifier>();
  const known = checkpoints.map(jws => ({ jws, owner: only ?? decodeStatement(jws).content.tenantId }));

  /** The verifier of a tenant's log; null of one that was not asked for. */
  function of(tenantId: string): Verifier | null {
    if (only !== undefined && tenantId !== only) return null;
    const begun = verifiers.get(tenantId);
    if (begun) return begun;
    const theirs = known.filter(({ owner }) => owner === tenantId).map(({ jws }) => jws);
    const verifier = createVerifier({ ...options, tenantId, checkpoints: theirs, of: 'stream' });
    verifiers.set(tenantId, verifier);
    return verifier;
  }

  return {
    of,
    /** Also of a tenant of whom nothing came, where a checkpoint says that something should have. */
    async end(sinceOf: (tenantId: string) => string | undefined): Promise<Verification[]> {
      for (const { owner } of known) of(owner);
      return Promise.all([...verifiers].map(([tenantId, verifier]) => verifier.end(sinceOf(tenantId))));
    },
  };
}

const tenantOf = (line: Line) =>
  line.kind === 'record' ? line.record.tenantId : decodeStatement(line.jws).content.tenantId;

/**
 * Verifies the lines of a stream of any tenants in their order. Where a line cannot be read, nobody can say whose it
 * is: then there is one result, of no tenant, and it names the line.
 */
export async function verifyTenants(
  lines: AsyncIterable<string>,
  { since, ...options }: TenantsOptions & { since?: string | undefined },
): Promise<Verification[]> {
  const { format, ignoreFields = false } = options;
  const tenants = createTenants(options);
  let at = 0;
  for await (const text of lines) {
    at += 1;
    if (at === 1 && text === format.header) continue;
    try {
      const line = readLine(format, text, { ignoreFields });
      const isTest = line.kind === 'record' && line.record.chain === testChain;
      const pending = isTest ? undefined : tenants.of(tenantOf(line))?.take(line, at);
      if (pending) await pending;
    } catch (error) {
      const nobody = createLog({ keys: options.keys }).verified();
      return [
        verificationOf(nobody, { since: since ?? null, fieldsCompared: !ignoreFields, finding: findingOf(error, at) }),
      ];
    }
  }
  return tenants.end(() => since);
}
