// What a kind of sink says of itself. Each is a folder beside this file, and a line in `registry.ts`.
import type { FormatName } from '@reeve/audit-log';
import type { GuardedNetwork } from '@reeve/service-kit/outbound';
import type { z } from 'zod';
import type { Deliver } from './delivery.ts';

type Settings = z.core.$ZodTypeDiscriminable & z.ZodType<{ kind: string }>;

/** Null for a credential that will do; otherwise what it has to be, after "must be". */
type Check = (credential: string) => string | null;

type CredentialRule =
  | { is: 'none' }
  /** By whoever sets the sink up. */
  | { is: 'given'; check?: Check }
  /** By us, where none is given: it is shown once. */
  | { is: 'made'; check: Check; make: () => string | null };

export type SinkKind<S extends Settings, T = z.output<S>> = {
  /** What is configured: a strict object with a literal `kind`. */
  target: S;
  /** What the credential is, for the documentation of the API. Null where there is none. */
  credentialIs: string | null;
  credential(target: T): CredentialRule;
  formatOf(target: T): FormatName;
  /**
   * Lines as they come, or for each hour that is over the objects that `hourly-objects.ts` makes. A test comes as a
   * line to both.
   */
  takes: 'lines' | 'hourly objects';
  /** Throws `url_refused` for what can be known before a connection is made; the connection looks again. */
  assertReachable(network: GuardedNetwork, target: T): void;
  deliver: Deliver<T>;
};

/** Says of what type each part is. */
export const defineSinkKind = <S extends Settings>(kind: SinkKind<S>): SinkKind<S> => kind;
