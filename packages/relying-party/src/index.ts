// The public face of @reeve/relying-party.
export { discover, type Fetch, type ServerMetadata, serverMetadata } from './discover.ts';
export {
  createRelyingParty,
  type Granted,
  type Pending,
  type Registration,
  type Wanted,
} from './relying-party.ts';
export { StepError } from './step-error.ts';
