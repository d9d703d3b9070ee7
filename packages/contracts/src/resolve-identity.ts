// The synchronous calls between services: auth asks provisioning who an external identity is, finds who is meant by
// one, and links another one.
import { z } from 'zod';
import { idSchema } from './ids.ts';
import { textSchema } from './text.ts';

/** What a person is known by across identity providers, besides their address. */
export const personIdentifiers = ['employee_id', 'directory_id', 'custom'] as const;
export type PersonIdentifier = (typeof personIdentifiers)[number];

export const resolveIdentityRequest = z.strictObject({
  tenantId: idSchema('tenant'),
  connectionId: idSchema('connection'),
  issuer: z.string().min(1).max(500),
  subject: textSchema(500),
  email: z.email().max(320).nullable(),
  /** The identity provider says that it has verified the address. */
  emailVerified: z.boolean(),
  /** The connection is the one that speaks for the address's domain in this tenant. */
  domainOwned: z.boolean(),
  displayName: textSchema(200).nullable(),
  /**
   * Who has this identifier in the tenant is the person, by the word of a connection that is believed in that. Left out
   * by all others, and so unknown to a provisioning of before only where it is used.
   */
  person: z.strictObject({ type: z.enum(personIdentifiers), value: textSchema(400) }).optional(),
  /** Where the person stands, for the events that follow. */
  origin: z.strictObject({
    correlationId: z.string().max(100),
    ip: z.string().nullable(),
    userAgent: z.string().nullable(),
  }),
  jit: z.strictObject({ enabled: z.boolean(), defaultRoles: z.array(z.string().max(60)).max(10) }),
});

export const resolveIdentityResponse = z.object({
  userId: idSchema('user'),
  email: z.string().nullable(),
  /** By the word of the connection that speaks for its domain. Provisioning of before does not say it. */
  emailVerified: z.boolean().default(false),
  displayName: z.string().nullable(),
  roles: z.array(z.string()),
  /** Ids. Provisioning of before does not say them. */
  groups: z.array(z.string()).default([]),
  created: z.boolean(),
});

export type ResolveIdentityRequest = z.infer<typeof resolveIdentityRequest>;
export type ResolveIdentityResponse = z.infer<typeof resolveIdentityResponse>;

/** What would become of an identity; `conflict` says why where it would be refused. */
export const foreseenIdentity = z.object({
  outcome: z.enum(['known', 'linked', 'created', 'identity_unknown', 'identity_conflict', 'user_deactivated']),
  conflict: z.string().nullable(),
});

export type ForeseenIdentity = z.infer<typeof foreseenIdentity>;

/** Somebody who is signed in has signed in by another connection as well, and says that both are them. */
export const linkIdentityRequest = resolveIdentityRequest
  .pick({ tenantId: true, connectionId: true, issuer: true, subject: true, origin: true })
  .extend({ userId: idSchema('user') });

export type LinkIdentityRequest = z.infer<typeof linkIdentityRequest>;

/** Whom does an identity provider mean, of those who have an identity at that connection? Nobody is made by asking. */
export const findIdentityRequest = resolveIdentityRequest.pick({ tenantId: true, connectionId: true }).extend({
  by: z.union([
    resolveIdentityRequest.pick({ issuer: true, subject: true }),
    z.strictObject({ email: z.string().min(1).max(320) }),
    z.strictObject({ userId: z.string().min(1).max(500) }),
  ]),
});

export const findIdentityResponse = z.object({ userId: idSchema('user').nullable() });

export type FindIdentityRequest = z.infer<typeof findIdentityRequest>;
