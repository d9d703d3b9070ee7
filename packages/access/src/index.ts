// The public face of @reeve/access.
export {
  type Access,
  type AccessContext,
  type AccessDecision,
  type AccessRequest,
  createAccess,
  type Principal,
  type Resource,
  reaches,
} from './access.ts';
export { type Action, type Area, actions, areas } from './actions.ts';
