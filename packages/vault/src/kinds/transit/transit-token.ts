// The token that Reeve shows to OpenBao or Vault: from a file that somebody keeps fresh, as their agents do, or by
// signing in with the service account of Kubernetes. https://openbao.org/api-docs/auth/kubernetes/
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { keyServiceDenied, keyServiceUnavailable } from '../../key-management.ts';

export type Answer = { status: number; body: unknown };
export type Post = (path: string, body: object, token?: string) => Promise<Answer>;

export type TokenSource =
  | { file: string }
  /** `jwtFile` is read at each sign-in, since Kubernetes replaces it. */
  | { role: string; authMount: string; jwtFile: string };

const visible = /^[\x21-\x7e]+$/;
const signedIn = z.object({
  auth: z.object({ client_token: z.string().max(4_000).regex(visible), lease_duration: z.number().nonnegative() }),
});

/** Before it ends, as others use it at the same time. */
const usedForShare = 2 / 3;

async function readSecret(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw keyServiceDenied(error);
  });
  if (visible.test(text.trim())) return text.trim();
  throw keyServiceDenied(new Error(`${file} holds no token`));
}

export function createTransitToken(source: TokenSource, post: Post) {
  // A data key is opened some times a minute at most: the file may as well be read each time.
  if ('file' in source) return { current: () => readSecret(source.file), forget: () => false };
  const { role, authMount, jwtFile } = source;
  type Held = { token: Promise<string>; value: string | null; until: number };
  let held: Held | null = null;

  async function signIn() {
    const { status, body } = await post(`auth/${authMount}/login`, { role, jwt: await readSecret(jwtFile) });
    // A role that there is not, or an account that is not of it.
    if (status !== 200) throw keyServiceDenied(new Error(`${status} for the sign-in as "${role}"`));
    const parsed = signedIn.safeParse(body);
    if (parsed.success) return parsed.data.auth;
    throw keyServiceUnavailable(new Error('no token was answered', { cause: parsed.error }));
  }

  /** Those who come meanwhile wait for the same one. */
  function begin(): Held {
    const begun: Held = { token: Promise.resolve(''), value: null, until: Number.POSITIVE_INFINITY };
    begun.token = signIn().then(
      ({ client_token: token, lease_duration: seconds }) => {
        begun.value = token;
        // Zero is a token that does not end.
        if (seconds > 0) begun.until = Date.now() + seconds * 1_000 * usedForShare;
        return token;
      },
      (error: unknown) => {
        if (held === begun) held = null;
        throw error;
      },
    );
    return begun;
  }

  return {
    /** Rejects with `key_service_denied` or `key_service_unavailable`. */
    current(): Promise<string> {
      if (!held || Date.now() >= held.until) held = begin();
      return held.token;
    },

    /** True where another one is to be had in place of a token that was refused. */
    forget(token: string): boolean {
      if (held?.value === token) held = null;
      return true;
    },
  };
}
