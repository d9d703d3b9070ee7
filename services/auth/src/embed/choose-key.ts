// Which of a tenant's sign-ins an embedding page has chosen. Pure. To a stranger a tenant that is not there, one that
// embeds nothing, and a key that is another tenant's are one.
import { ProblemError } from '@reeve/contracts';

export type Choice = {
  asked: string | null;
  /** Connections by the keys that name them. */
  keys: ReadonlyMap<string, string>;
  /** Connections that people can come in by. */
  active: readonly string[];
};

/** The one that counts where none is named. */
const defaultKey = 'default';

/** Null where there is nothing to choose. Throws `unknown_auth_key` or `missing_auth_key`. */
export function chooseKey({ asked, keys, active }: Choice): string | null {
  const isGood = (key: string) => active.includes(keys.get(key) ?? '');
  if (asked !== null || active.length === 0) {
    if (asked !== null && isGood(asked)) return asked;
    throw new ProblemError('unknown_auth_key');
  }
  if (isGood(defaultKey)) return defaultKey;
  if (active.length === 1) return null;
  throw new ProblemError('missing_auth_key');
}
