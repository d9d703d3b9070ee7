// The actions that routes name and policies speak of. Each belongs to the groups that the policies grant as a whole.
export const actions = {
  'tenants:read': ['tenant-administration', 'membership'],
  'tenants:write': [],
  'tenants:list': [],
  'users:read': ['tenant-administration'],
  'users:write': ['tenant-administration'],
  'directories:write': ['tenant-administration'],
  'directories:read': ['tenant-administration'],
  'identities:resolve': [],
  'connections:read': ['tenant-administration'],
  'connections:write': ['tenant-administration'],
  'clients:read': ['tenant-administration'],
  'clients:write': ['tenant-administration'],
  'sessions:read': ['tenant-administration'],
  'sessions:write': ['tenant-administration'],
  'connectors:read': ['tenant-administration', 'membership'],
  'installations:read': ['tenant-administration', 'membership'],
  'installations:write': ['tenant-administration'],
  'consents:read': ['tenant-administration'],
  'consents:write': ['tenant-administration'],
  'delegated-tokens:lease': ['tenant-administration'],
  'webhooks:read': ['tenant-administration'],
  'webhooks:write': ['tenant-administration'],
  'audit:read': ['tenant-administration', 'audit-reading'],
  'audit:export': ['tenant-administration', 'audit-reading'],
} as const satisfies Record<string, readonly ('tenant-administration' | 'membership' | 'audit-reading')[]>;

export type Action = keyof typeof actions;
