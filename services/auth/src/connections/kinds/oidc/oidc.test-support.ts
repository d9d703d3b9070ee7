// The kind with an identity provider that lies as a test says, and a vault that is a map.
import { newId, ProblemError, serviceCause, type TenantId } from '@reeve/contracts';
import { createGuardedFetch } from '@reeve/service-kit/outbound';
import type { IdentityProvider } from '@reeve/testing';
import type { Vault } from '@reeve/vault';
import type { At, ConnectionKind } from '../kind.ts';
import { createReadSecret } from '../secret.ts';
import { oidc } from './oidc.ts';

export const ownIssuer = 'https://auth.example';
const wish = { again: false, isDemanded: false };

type Secrets = {
  vault: Vault;
  /** How often it was read. */
  reads(): number;
  put(of: Pick<At, 'tenantId' | 'secretName'>, secret: string): void;
};

function mapVault(): Secrets {
  const secrets = new Map<string, string>();
  const keyOf = (tenantId: TenantId, id: string) => `${tenantId} ${id}`;
  let reads = 0;
  const vault = {
    async read(tenantId: TenantId, { id }: { id: string }) {
      reads += 1;
      return Buffer.from(secrets.get(keyOf(tenantId, id)) ?? '');
    },
  } as unknown as Vault;
  return {
    vault,
    reads: () => reads,
    put: ({ tenantId, secretName }: Pick<At, 'tenantId' | 'secretName'>, secret: string) =>
      void secrets.set(keyOf(tenantId, secretName), secret),
  };
}

export type Connected = Awaited<ReturnType<typeof connected>>;

/** A kind of its own, which has fetched nothing yet, and a connection that was made as the provider is just now. */
export async function connected(
  provider: IdentityProvider,
  { given = {}, timeoutMs = 5_000, trusted = [] }: { given?: object; timeoutMs?: number; trusted?: string[] } = {},
) {
  const secrets = mapVault();
  const fetch = createGuardedFetch({ allowedPrivateOrigins: [provider.issuer, ...trusted], timeoutMs });
  const kind: ConnectionKind = oidc({ readSecret: createReadSecret({ vault: secrets.vault }), fetch, ownIssuer });
  const proof = 'privateKeyJwt' in given ? {} : { clientSecret: 'the secret' };
  const usual = { issuer: provider.issuer, clientId: 'reeve' };
  const made = await kind.prepare({ ...usual, ...proof, ...given }, null);
  const at: At = {
    tenantId: newId('tenant'),
    id: newId('connection'),
    secretName: 'secret 0',
    settings: made.settings,
    cause: serviceCause('test', { correlationId: 'c' }),
  };
  secrets.put(at, made.secret ?? '');
  let changes = 0;

  /** As far as the browser, and what it brings back. */
  async function begun(asked: object = {}) {
    const { leaveFor, pending } = await kind.begin(at, { signInId: 'an-interaction-id', wish: { ...wish, ...asked } });
    const back = await globalThis.fetch(leaveFor as string, { redirect: 'manual' });
    return { pending, brought: new URL(back.headers.get('location') ?? '').search };
  }

  return {
    kind,
    at,
    secrets,
    begun,
    async signIn(asked?: object) {
      return kind.complete(at, await begun(asked));
    },
    /** The change of a connection. */
    async change(to: object): Promise<void> {
      const { settings, secret } = await kind.prepare(to, at.settings);
      if (secret === null) return void Object.assign(at, { settings });
      changes += 1;
      Object.assign(at, { settings, secretName: `secret ${changes}` });
      secrets.put(at, secret);
    },
  };
}

/** Where it ended: the step that it was refused at, or `accepted`. */
export const endOf = (signIn: Promise<unknown>): Promise<string> =>
  signIn.then(
    () => 'accepted',
    (error: unknown) => {
      if (error instanceof ProblemError) return error.code;
      const { step } = error as { step?: string };
      if (step === undefined) throw error;
      return step;
    },
  );
