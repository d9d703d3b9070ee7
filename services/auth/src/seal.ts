// What a browser carries for us and may not change.
import { createHmac, timingSafeEqual } from 'node:crypto';

export type Seal<T> = ReturnType<typeof createSeal<T>>;

/** `keys`, the newest first; `purpose` keeps what is sealed for one thing from being taken for another. */
export function createSeal<T>(keys: readonly string[], purpose: string) {
  const macOf = (payload: string, key: string) => createHmac('sha256', key).update(`${purpose}\n${payload}`).digest();
  return {
    seal(value: T): string {
      const payload = Buffer.from(JSON.stringify(value)).toString('base64url');
      return `${payload}.${macOf(payload, keys[0] ?? '').toString('base64url')}`;
    },

    /** Null for what we have not sealed. */
    open(text: string | undefined): T | null {
      const [payload = '', mac = '', more] = text?.split('.') ?? [];
      if (more !== undefined) return null;
      const given = Buffer.from(mac, 'base64url');
      const isOurs = keys.some(key => {
        const made = macOf(payload, key);
        return made.length === given.length && timingSafeEqual(made, given);
      });
      return isOurs ? (JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as T) : null;
    },
  };
}
