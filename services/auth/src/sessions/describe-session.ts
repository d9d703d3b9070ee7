// What a session is in words that its owner and an administrator recognise it by: which browser, where, and how the
// person signed in. From what the browser says of itself, which whoever sits at it may change.
import Bowser from 'bowser';
import type { Session } from './session.ts';

export type Device = { browser: string | null; system: string | null };

/** Of the header User-Agent. Null for what the browser does not say in a form that is known. */
export function deviceOf(userAgent: string | null): Device {
  if (userAgent === null || userAgent === '') return { browser: null, system: null };
  const { browser, os } = Bowser.parse(userAgent);
  return { browser: browser.name || null, system: os.name || null };
}

/** Whether it is another one than the session is at. A browser that becomes newer stays the same. */
export function isOtherDevice({ userAgent }: Pick<Session, 'userAgent'>, now: string | null): boolean {
  const [before, after] = [deviceOf(userAgent), deviceOf(now)];
  return before.browser !== after.browser || before.system !== after.system;
}

/** The place as the operator's database has it; null where there is none, or nothing is known of the address. */
export type PlaceOf = (ip: string | null) => string | null;

const methodNames: Record<string, string> = { oidc: 'OpenID Connect', saml: 'SAML' };

type About = { connection: string | null; place: string | null };

/** `Firefox on Linux, Berlin, signed in by Okta (SAML)`. */
export function describe(session: Session, { connection, place }: About): string {
  const { browser, system } = deviceOf(session.userAgent);
  const at = browser === null ? 'An unknown browser' : browser;
  const device = system === null ? at : `${at} on ${system}`;
  const method = methodNames[session.method] ?? session.method;
  const by = `signed in by ${connection ?? 'a connection that is gone'} (${method})`;
  return [device, place ?? session.ip, by].filter(part => part !== null).join(', ');
}
