// The public face of @reeve/audit-log.
export { readOcsf, shapeOf, toOcsf } from './ocsf.ts';
export {
  type AuditRecord,
  type ChainedRecord,
  canonicalJson,
  chain,
  genesisHash,
  hashOf,
  recordSchema,
} from './record.ts';
export { type Finding, type Reader, readChained, type Verification, verifyExport } from './verify.ts';
