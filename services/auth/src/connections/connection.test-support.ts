import type { Connection } from './connection.ts';

/** What a connection is made of, for tests in which its kind says nothing; all but its status. */
export function asked(more: Partial<Connection> = {}): Omit<Connection, 'status'> {
  const createdAt = new Date().toISOString();
  return {
    name: 'An identity provider',
    kind: 'oidc',
    settings: {},
    issuer: 'https://idp.example',
    domains: [],
    trustEmail: false,
    attributes: {},
    identifier: null,
    jit: { enabled: false, defaultRoles: [] },
    secretSetAt: createdAt,
    createdAt,
    ...more,
  };
}
