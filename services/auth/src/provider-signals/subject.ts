// Whom somebody else means, as a subject identifier (RFC 9493) says it.
import { isId, textSchema } from '@reeve/contracts';
import { z } from 'zod';

const name = textSchema(500);

export const subjectSchema = z.discriminatedUnion('format', [
  z.strictObject({ format: z.literal('email'), email: textSchema(320) }),
  z.strictObject({ format: z.literal('iss_sub'), iss: name, sub: name }),
  z.strictObject({ format: z.literal('opaque'), id: name }),
]);

export type Subject = z.infer<typeof subjectSchema>;

/** In our words: a name that the provider has for the person, their address, or the id that they have here. */
export type Named = { subject: string } | { email: string } | { userId: string };

/** Null for somebody of another issuer: this one does not speak for them. */
export function namedBy(subject: Subject, issuer: string): Named | null {
  switch (subject.format) {
    case 'email':
      return { email: subject.email };
    case 'iss_sub':
      return subject.iss === issuer ? { subject: subject.sub } : null;
    case 'opaque':
      return isId('user', subject.id) ? { userId: subject.id } : { subject: subject.id };
  }
}
