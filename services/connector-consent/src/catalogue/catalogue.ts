// The connectors that may be installed: given by the platform as a file. Owns what a connector is and what its scopes
// mean; not who installed it.
import { readFileSync } from 'node:fs';
import { ProblemError } from '@reeve/contracts';
import { z } from 'zod';

const connectorSchema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9-]{1,60}$/),
  name: z.string().min(1).max(100),
  publisher: z.string().min(1).max(100),
  review: z.enum(['approved', 'pending', 'rejected']),
  oauth: z.strictObject({
    issuer: z.url(),
    /** Where else its endpoints may be, or send people on to while they are asked; `host` or `host:port`. */
    hosts: z.array(z.string().regex(/^[a-z0-9.-]+(:\d{1,5})?$/)).default([]),
    clientId: z.string().min(1),
    clientSecret: z.string().min(1),
  }),
  scopes: z.array(z.strictObject({ id: z.string().min(1), meaning: z.string().min(1) })).min(1),
  /** What it can not do, in plain words, for the consent screen. */
  cannot: z.array(z.string().min(1)),
  eventTypes: z.array(z.string()),
  consentDays: z.number().int().min(1).max(730),
});

export type Connector = z.infer<typeof connectorSchema>;
export type Catalogue = ReturnType<typeof loadCatalogue>;

/** Throws when the file is not a list of connectors: the message names the place. */
export function loadCatalogue(path: string) {
  const connectors = z.array(connectorSchema).parse(JSON.parse(readFileSync(path, 'utf8')));
  return {
    /** Those that are open for installation. */
    list: (): Connector[] => connectors.filter(({ review }) => review === 'approved'),

    /** Throws `connector_unknown`. */
    get(id: string): Connector {
      const connector = connectors.find(one => one.id === id && one.review === 'approved');
      if (!connector) throw new ProblemError('connector_unknown');
      return connector;
    },
  };
}

/** Throws `scope_unknown` naming the scopes that the connector does not offer. */
export function assertOffered(connector: Connector, scopes: readonly string[]): void {
  const unknown = scopes.filter(scope => !connector.scopes.some(({ id }) => id === scope));
  if (unknown.length > 0)
    throw new ProblemError('scope_unknown', `${connector.name} does not offer ${unknown.join(', ')}`);
}

/** Where a person's browser may be sent when they allow it. */
export function originsOf({ oauth: { issuer, hosts } }: Connector): string[] {
  const { origin, protocol } = new URL(issuer);
  return [origin, ...hosts.map(host => `${protocol}//${host}`)];
}

/** When a consent that is given now ends. */
export const consentEnd = ({ consentDays }: Connector, now: Date): Date =>
  new Date(now.getTime() + consentDays * 86_400_000);
