// What one request has read of the provider's records, and what it is to write before it is answered. The provider
// reads and saves the same thing several times on its way; here it is read once and written once, and what belongs to
// one record goes out in one write. Who uses up a code is decided there as well, by the store, before anybody is
// answered.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Cause } from '@reeve/contracts';

export type RequestScope = ReturnType<typeof createRequestScope>;

const scopes = new AsyncLocalStorage<RequestScope>();

function createRequestScope(cause: Cause) {
  const known = new Map<string, Promise<unknown>>();
  const writes = new Map<string, () => Promise<unknown>>();
  const lastWrites: (() => Promise<unknown>)[] = [];
  const renamed = new Map<string, string>();
  let failure: { error: unknown } | undefined;
  let resumed: string | undefined;
  let admitted: { origin: string; clientId: string } | undefined;

  return {
    /** Who came, as far as is known before the protocol has its say. */
    cause,

    /** Reads once. */
    read<T>(key: string, read: () => Promise<T>): Promise<T> {
      const found = (known.get(key) as Promise<T> | undefined) ?? read();
      known.set(key, found);
      return found;
    },

    /** From now on it is this. */
    remember<T>(key: string, value: T): void {
      known.set(key, Promise.resolve(value));
    },

    /** Writes when the request ends; the last that is said of a key counts. */
    writeLater(key: string, write: () => Promise<unknown>): void {
      writes.set(key, write);
    },

    /** Writes when all else is written: whoever sees it may undo the rest. */
    writeLast(write: () => Promise<unknown>): void {
      lastWrites.push(write);
    },

    /** What the provider calls `name` goes out to the client under another one. */
    rename(name: string, outside: string): void {
      renamed.set(name, outside);
    },

    nameOutside: (name: string): string => renamed.get(name) ?? name,

    /** The provider goes on with this interaction as if the browser had come to its own path for it. */
    goOnWith(uid: string): void {
      resumed = uid;
    },

    resumed: () => resumed,

    /** Pages of that origin may read what that client is answered, by what its tenant says. */
    admit(page: { origin: string; clientId: string }): void {
      admitted = page;
    },

    isAdmitted: (origin: string, clientId: string): boolean =>
      admitted?.origin === origin && admitted.clientId === clientId,

    /** It has to be answered with this error, and not with what the provider has made of it. */
    fail(error: unknown): void {
      failure ??= { error };
    },

    throwFailure(): void {
      if (failure) throw failure.error;
    },

    async flush(): Promise<void> {
      const due = [...writes.values()];
      writes.clear();
      await Promise.all(due.map(write => write()));
      for (const write of lastWrites.splice(0)) await write();
    },
  };
}

/** Of the request that is being handled. Throws outside of one. */
export function requestScope(): RequestScope {
  const scope = scopes.getStore();
  if (!scope) throw new Error('there is no request whose scope this could be');
  return scope;
}

/** The same, where there may be none. */
export const scopeNow = (): RequestScope | undefined => scopes.getStore();

/** Goes on in it. */
export const withinScope = <T>(scope: RequestScope, work: () => Promise<T>): Promise<T> => scopes.run(scope, work);

export const inRequestScope = <T>(cause: Cause, work: () => Promise<T>): Promise<T> =>
  scopes.run(createRequestScope(cause), work);
