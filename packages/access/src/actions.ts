// The actions that routes name and policies speak of. Each belongs to the groups that the policies grant as a whole,
// and to the area that a credential can be limited to.
type Group = 'platform-administration' | 'tenant-administration' | 'membership' | 'audit-reading' | 'own';

export const areas = [
  'directory',
  'sign-in',
  'applications',
  'sessions',
  'connectors',
  'delegated-tokens',
  'webhooks',
  'audit',
  'operations',
] as const;
export type Area = (typeof areas)[number];

const administration = ['tenant-administration', 'platform-administration'] as const;

type Definition = { area: Area; groups: readonly Group[] };

export const actions = {
  'tenants:read': { area: 'directory', groups: [...administration, 'membership'] },
  'tenants:write': { area: 'directory', groups: ['platform-administration'] },
  'tenants:list': { area: 'directory', groups: ['platform-administration'] },
  'users:read': { area: 'directory', groups: administration },
  'users:write': { area: 'directory', groups: administration },
  'groups:read': { area: 'directory', groups: administration },
  'groups:write': { area: 'directory', groups: administration },
  'directories:read': { area: 'directory', groups: administration },
  'directories:write': { area: 'directory', groups: administration },
  'directory:push': { area: 'directory', groups: [] },
  'identities:resolve': { area: 'directory', groups: [] },
  'connections:read': { area: 'sign-in', groups: administration },
  'connections:write': { area: 'sign-in', groups: administration },
  'domains:read': { area: 'sign-in', groups: administration },
  'domains:write': { area: 'sign-in', groups: administration },
  'clients:read': { area: 'applications', groups: administration },
  'clients:write': { area: 'applications', groups: administration },
  'application-grants:read': { area: 'applications', groups: [...administration, 'own'] },
  'application-grants:write': { area: 'applications', groups: [...administration, 'own'] },
  'resource-servers:read': { area: 'applications', groups: ['platform-administration'] },
  'resource-servers:write': { area: 'applications', groups: ['platform-administration'] },
  'revocations:read': { area: 'sessions', groups: ['platform-administration'] },
  'signing-keys:read': { area: 'applications', groups: ['platform-administration'] },
  'signing-keys:write': { area: 'applications', groups: ['platform-administration'] },
  'vault-keys:read': { area: 'applications', groups: ['platform-administration'] },
  'vault-keys:write': { area: 'applications', groups: ['platform-administration'] },
  'sessions:read': { area: 'sessions', groups: [...administration, 'own'] },
  'sessions:write': { area: 'sessions', groups: [...administration, 'own'] },
  'policies:read': { area: 'sessions', groups: administration },
  'policies:write': { area: 'sessions', groups: administration },
  'signal-streams:read': { area: 'sessions', groups: administration },
  'signal-streams:write': { area: 'sessions', groups: administration },
  'bots:read': { area: 'applications', groups: administration },
  'bots:write': { area: 'applications', groups: administration },
  'bots:act': { area: 'sessions', groups: [] },
  'mfa-factors:read': { area: 'sessions', groups: [...administration, 'own'] },
  'mfa-factors:write': { area: 'sessions', groups: [...administration, 'own'] },
  'connectors:read': { area: 'connectors', groups: [...administration, 'membership'] },
  'installations:read': { area: 'connectors', groups: [...administration, 'membership'] },
  'installations:write': { area: 'connectors', groups: administration },
  'consents:read': { area: 'connectors', groups: [...administration, 'own'] },
  'consents:write': { area: 'connectors', groups: [...administration, 'own'] },
  'delegated-tokens:lease': { area: 'delegated-tokens', groups: administration },
  'webhooks:read': { area: 'webhooks', groups: administration },
  'webhooks:write': { area: 'webhooks', groups: administration },
  'audit:read': { area: 'audit', groups: [...administration, 'audit-reading'] },
  'audit:save-views': { area: 'audit', groups: [...administration, 'audit-reading'] },
  'audit:configure': { area: 'audit', groups: administration },
  'audit:export': { area: 'audit', groups: [...administration, 'audit-reading'] },
  'diagnostics:read': { area: 'operations', groups: ['platform-administration'] },
} as const satisfies Record<string, Definition>;

export type Action = keyof typeof actions;
