// The public face of @reeve/audit-log.
export type { Format } from './formats/entry.ts';
export { type FormatName, formatOf, formats } from './formats/formats.ts';
export { statementToOcsf, toOcsf } from './formats/ocsf.ts';
export { alertToOcsf } from './formats/ocsf-finding.ts';
export { linesOf } from './lines.ts';
export {
  addLeaf,
  consistencyPath,
  type Frontier,
  inclusionPath,
  leafHash,
  nodeHash,
  rootOf,
  rootOfLeaves,
  type Subtree,
} from './merkle.ts';
export {
  type ConsistencyProof,
  consistencyProofSchema,
  type InclusionProof,
  inclusionProofSchema,
  type ProofResult,
  verifyConsistency,
  verifyInclusion,
} from './proof.ts';
export {
  type AuditRecord,
  type ChainedRecord,
  chain,
  genesisHash,
  recordSchema,
  testChain,
} from './record.ts';
export {
  blockOf,
  blockSize,
  type ChainHead,
  type Checkpoint,
  decodeStatement,
  hashesIn,
  hashOfStatement,
  type KeySet,
  leafOfChain,
  type Manifest,
  readStatement,
  type Statement,
  StatementError,
  type StatementKind,
  signStatement,
  type Tombstone,
} from './statements.ts';
export type { Finding, Problem } from './verify/finding.ts';
export { createTenants, type TenantsOptions, verifyTenants } from './verify/tenants.ts';
export type { Verification } from './verify/verification.ts';
export { createVerifier, type Verifier, type VerifyOptions, verifyLines } from './verify.ts';
