// The public face of @reeve/audit-log.
export type { Format } from './formats/entry.ts';
export { type FormatName, formats } from './formats/formats.ts';
export { alertToOcsf, shapeOf, statementToOcsf, toOcsf } from './formats/ocsf.ts';
export { linesOf } from './lines.ts';
export {
  addLeaf,
  consistencyPath,
  extendsTree,
  type Frontier,
  includes,
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
  canonicalJson,
  chain,
  genesisHash,
  hashOf,
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
export {
  createVerifier,
  type Finding,
  type Problem,
  type Verification,
  type Verifier,
  type VerifyOptions,
  verifyLines,
} from './verify.ts';
