// What lies in this service's database.
import type { Contents } from '@reeve/store';
import { directories } from './directories/directory.ts';
import { groups } from './groups/group.ts';
import { identityConflicts } from './identities/conflict.ts';
import { identities } from './identities/identity.ts';
import { tenants } from './tenants/tenant.ts';
import { users } from './users/user.ts';

export const contents: Contents = { collections: [tenants, users, groups, identities, identityConflicts, directories] };
