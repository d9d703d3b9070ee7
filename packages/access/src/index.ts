// The public face of @reeve/access.
export { type Access, type AccessDecision, type AccessRequest, createAccess, type Principal } from './access.ts';
export { type Action, actions } from './actions.ts';
