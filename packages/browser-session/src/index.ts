// The public face of @reeve/browser-session.
export { createBrowserSessions, type SignedIn, type TenantOf } from './browser-sessions.ts';
export { browserSessionRecords } from './records.ts';
