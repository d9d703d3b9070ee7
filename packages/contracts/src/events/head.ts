// The head that every identity event shares, so that audit reads any event without knowing its type.
// Keys are required and nullable rather than optional: a producer that forgets the address of a caller does not compile
// (lesson L17), one that has none says so.
import { z } from 'zod';

const actorSchema = z.object({
  type: z.enum(['user', 'client', 'service', 'identity_provider', 'stranger']),
  id: z.string().nullable(),
  name: z.string().nullable(),
  via: z.enum(['session', 'client', 'system', 'idp']),
});

const targetSchema = z.object({
  type: z.string(),
  id: z.string().nullable(),
  name: z.string().nullable(),
});

const reasonSchema = z.object({
  code: z.string().describe('A stable code: why this happened'),
  rule: z.string().nullable().describe('The access rule that decided, where one did'),
  basis: z.string().nullable().describe('What the rule rested on: a role, a membership, a scope'),
});

const contextSchema = z.object({
  ip: z.string().nullable(),
  userAgent: z.string().nullable(),
  sessionId: z.string().nullable(),
  connectionId: z.string().nullable(),
  clientId: z.string().nullable(),
  requestId: z.string().nullable(),
});

const outcomeSchema = z.enum(['success', 'failure', 'denied']);

export const headSchema = z.object({
  actor: actorSchema,
  target: targetSchema,
  outcome: outcomeSchema,
  reason: reasonSchema,
  context: contextSchema,
});

export type Actor = z.infer<typeof actorSchema>;
export type Target = z.infer<typeof targetSchema>;
export type Reason = z.infer<typeof reasonSchema>;
export type Context = z.infer<typeof contextSchema>;
export type Outcome = z.infer<typeof outcomeSchema>;

export const emptyContext: Context = {
  ip: null,
  userAgent: null,
  sessionId: null,
  connectionId: null,
  clientId: null,
  requestId: null,
};
