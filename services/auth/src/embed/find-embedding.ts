// What holds where a page says `domain` and `auth_key`: the tenant's settings, and the sign-in that it has chosen.
import { ProblemError, type TenantId } from '@reeve/contracts';
import type { TenantDirectory } from '@reeve/service-kit';
import type { ApplicationDirectory } from '../applications/application-directory.ts';
import type { KnownApplication } from '../applications/known-application.ts';
import type { AuthKeyDirectory } from '../auth-keys/auth-key-directory.ts';
import type { ConnectionDirectory } from '../connections/connection-directory.ts';
import { chooseKey } from './choose-key.ts';
import { callbackPath, type Embed } from './embed.ts';
import type { EmbedDirectory } from './embed-directory.ts';
import type { NoteFailure } from './note-failure.ts';

export type EmbeddingParts = {
  embeds: EmbedDirectory;
  tenants: TenantDirectory;
  authKeys: AuthKeyDirectory;
  connections: ConnectionDirectory;
  applications: ApplicationDirectory;
  noteFailure: NoteFailure;
  issuer: string;
};

export type Embedding = { tenantId: TenantId; embed: Embed; application: KnownApplication };

/** Throws `unknown_auth_key` for whatever is not there. */
export async function findEmbedding(parts: EmbeddingParts, domain: string | null | undefined): Promise<Embedding> {
  const { tenants, embeds, applications } = parts;
  const tenant = domain ? await tenants.findNamed(domain) : null;
  const embed = tenant?.status === 'active' ? await embeds.of(tenant.id) : null;
  const application = embed?.applicationId ? await applications.find(embed.applicationId) : null;
  const isThere = tenant && embed?.enabled && application && (await applications.serves(application, tenant.id));
  if (!isThere) throw new ProblemError('unknown_auth_key');
  return { tenantId: tenant.id, embed, application };
}

/** Null where there is nothing to choose. */
export async function keyFor(
  { authKeys, connections, issuer }: EmbeddingParts,
  { tenantId, application }: Embedding,
  asked: string | null,
): Promise<string | null> {
  const [keys, active] = await Promise.all([authKeys.of(tenantId), connections.activeOf(tenantId)]);
  const key = chooseKey({ asked, keys, active: active.map(({ id }) => id) });
  if (!application.redirectUris.includes(issuer + callbackPath)) throw new ProblemError('redirect_uri_mismatch');
  return key;
}

/** Throws `origin_not_allowed`. */
export function assertOrigin({ embed }: Embedding, origin: string | null | undefined): void {
  if (!origin || !embed.origins.includes(origin)) throw new ProblemError('origin_not_allowed');
}
