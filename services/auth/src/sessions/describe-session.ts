// What a session is in words that its owner and an administrator recognise it by: which browser, where, and how the
// person signed in. From what the browser says of itself, which whoever sits at it may change.
import Bowser from 'bowser';
import { amrOf } from '../factors/level.ts';
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
  // Nearly always: nothing is to be told apart then.
  if (userAgent === now) return false;
  const [before, after] = [deviceOf(userAgent), deviceOf(now)];
  return before.browser !== after.browser || before.system !== after.system;
}

const methodNames: Record<string, string> = { oidc: 'OpenID Connect', saml: 'SAML' };

/** By what is told of the session, the strongest first (RFC 8176); `pop` is what a passkey here is. */
const secondFactors: [string, string][] = [
  ['pop', 'second factor passkey'],
  ['hwk', 'second factor passkey'],
  ['swk', 'second factor passkey'],
  ['otp', 'second factor one-time code'],
  ['mfa', 'with a second factor'],
];

export const hasSecondFactor = ({ amr }: Pick<Session, 'amr'>): boolean =>
  secondFactors.some(([name]) => amr.includes(name));

type About = { connection: string | null; place: string | null };

/**
 * `Firefox on Linux, Berlin, signed in by Okta (SAML), second factor passkey`; of a delegated one `Notes assistant, for
 * the person, signed in by Okta (SAML)`.
 */
export function describe(session: Session, { connection, place }: About): string {
  const method = methodNames[session.method] ?? session.method;
  const by = `signed in by ${connection ?? 'a connection that is gone'} (${method})`;
  if (session.delegate) return [session.delegate.name, 'for the person', by].join(', ');
  const { browser, system } = deviceOf(session.userAgent);
  const at = browser === null ? 'An unknown browser' : browser;
  const device = system === null ? at : `${at} on ${system}`;
  const factor = secondFactors.find(([name]) => amrOf(session).includes(name))?.[1] ?? null;
  return [device, place ?? session.ip, by, factor].filter(part => part !== null).join(', ');
}
