// An application as it is looked up, wherever it is known from.
import type { TenantId } from '@reeve/contracts';
import type { Application } from './application.ts';

/** What is known of one that nobody registered, besides what is known of each. */
export type Document = {
  host: string;
  /** What it calls itself, for the page that says whose words they are. */
  name: string | null;
  /** Of all that a person was shown of it, and all by which it is sent codes and proves itself. */
  sha256: string;
};

export type KnownApplication = Omit<Application, 'secrets' | 'createdAt' | 'deletedAt'> & {
  id: string;
  /** Null for one that belongs to no tenant. */
  tenantId: TenantId | null;
  /** Of the platform team: it may ask for `platform:admin`, and what it does is on the record of the tenant. */
  isPlatform: boolean;
  /** SHA-256 of the secrets that count now, the newest first. */
  secrets: readonly string[];
  /** Of one that nobody registered: a third party, whose people are asked. */
  document?: Document;
};

/**
 * Whether it may have to do with people and data of that tenant, as far as it is registered: `serves` of the directory
 * is asked wherever a token is made (lesson L32).
 */
export const isServed = ({ tenantId, tenants }: KnownApplication, id: TenantId): boolean =>
  tenantId === null ? tenants === 'all' || (tenants?.includes(id) ?? false) : tenantId === id;
