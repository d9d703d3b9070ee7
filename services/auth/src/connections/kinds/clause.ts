// A clause of IPSIE (Interoperability Profile for Secure Identity in the Enterprise, OpenID Foundation), as it stands
// with one connection. Each kind says which there are for its protocol, and whether they hold with its settings.
import { z } from 'zod';

export const levels = ['SL1', 'SL2', 'SL3'] as const;

export const clauseSchema = z.object({
  id: z.string(),
  /** The session lifecycle level that asks for it first. */
  level: z.enum(levels),
  clause: z.string().describe('What is demanded, in our words'),
  who: z.enum(['application', 'identity_service', 'both']).describe('Who has to see to it; the application is Reeve'),
  holds: z.boolean().nullable().describe('Null where it cannot be known from here'),
  why: z.string(),
  whatToDo: z.string().nullable(),
});
export type Clause = z.infer<typeof clauseSchema>;

type Demand = Omit<Clause, 'holds' | 'why' | 'whatToDo'>;

/** It is so, whatever the settings, or because of them: by code of ours that refuses anything else. */
export const held = (demand: Demand, why: string): Clause => ({ ...demand, holds: true, why, whatToDo: null });

export const broken = (demand: Demand, why: string, whatToDo: string | null): Clause => ({
  ...demand,
  holds: false,
  why,
  whatToDo,
});

/** The identity provider does it or not, and nothing that it says of itself tells. */
export const unknown = (demand: Demand, why: string, whatToDo: string): Clause => ({
  ...demand,
  holds: null,
  why,
  whatToDo,
});
