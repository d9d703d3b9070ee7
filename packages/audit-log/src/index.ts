// The public face of @reeve/audit-log.
export { readOcsf, shapeOf, toOcsf } from './ocsf.ts';
export { type AuditRecord, canonicalJson, type ChainedRecord, chain, genesisHash, hashOf, recordSchema } from './record.ts';
export { type Finding, readChained, type Reader, type Verification, verifyExport } from './verify.ts';
