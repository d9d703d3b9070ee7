// Who is at the browser: people sign in at our own OpenID provider, and what came of it is kept here, behind an unguessable cookie. It ends
// with the session at the provider, by that session's event.
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { isId, type TenantId } from '@reeve/contracts';
import type { Handlers } from '@reeve/event-bus';
import type { Clock, PlatformRecords, Store } from '@reeve/store';
import type { Request, Response } from 'express';

export type BrowserSession = { userId: string; tenantId: TenantId; name: string; sid: string; csrf: string };
export type BrowserSessionRecords = PlatformRecords<BrowserSession>;

const lifetimeMs = 3_600_000;
const random = () => randomBytes(32).toString('base64url');

export type BrowserSessions = ReturnType<typeof createBrowserSessions>;

export function defineBrowserSessions(store: Store): BrowserSessionRecords {
  return store.platformRecords<BrowserSession>({
    name: 'browser_sessions',
    reason: 'a cookie is an opaque value that says nothing of a tenant',
    keys: ['sid'],
  });
}

export function createBrowserSessions({
  records,
  clock,
  secure,
}: {
  records: BrowserSessionRecords;
  clock: Clock;
  secure: boolean;
}) {
  const name = secure ? '__Host-reeve_consent' : 'reeve_consent';
  const options = { httpOnly: true, secure, sameSite: 'lax', path: '/' } as const;

  return {
    async begin(
      response: Response,
      claims: { sub: string; tid: unknown; sid: unknown; name: unknown; email: unknown },
    ): Promise<TenantId | null> {
      const { sub: userId, tid, sid } = claims;
      if (!isId('tenant', tid) || typeof sid !== 'string') return null;
      const id = random();
      const shown = [claims.name, claims.email, userId].find(one => typeof one === 'string') as string;
      await records.put(
        id,
        { userId, tenantId: tid, name: shown, sid, csrf: random() },
        new Date(clock.now().getTime() + lifetimeMs),
      );
      response.cookie(name, id, { ...options, maxAge: lifetimeMs });
      return tid;
    },

    async find(request: Request): Promise<(BrowserSession & { id: string }) | null> {
      const id = readCookie(request, name);
      const found = id === null ? null : await records.get(id);
      return found && id !== null ? { ...found.row, id } : null;
    },

    /** Ties a redirect that goes out to the browser it goes out from. */
    bind(response: Response, purpose: string, value: string): void {
      response.cookie(`reeve_consent_${purpose}`, value, { ...options, maxAge: 600_000 });
    },

    isBound(request: Request, purpose: string, value: string): boolean {
      return equal(readCookie(request, `reeve_consent_${purpose}`) ?? '', value);
    },

    handlers: {
      async 'session.revoked'({ data }) {
        if (data.target.id !== null) await records.removeBy('sid', data.target.id);
      },
    } satisfies Handlers as Handlers,
  };
}

export function equal(one: string, other: string): boolean {
  const a = Buffer.from(one);
  const b = Buffer.from(other);
  return a.length === b.length && timingSafeEqual(a, b);
}

function readCookie(request: Request, name: string): string | null {
  for (const part of (request.get('Cookie') ?? '').split(';')) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name && value !== undefined && /^[\w-]{1,200}$/.test(value)) return value;
  }
  return null;
}
