// Where a person usually is: the browsers, networks and countries that they have signed in from, for ninety days. A
// sign-in from elsewhere says so in its session, for whoever looks at it and for the log. A browser is what it says of
// itself, so what is familiar proves nothing. Pure.
import { networkOf } from '@reeve/service-kit';
import type { Places } from '@reeve/service-kit/places';
import { type Collections, collection } from '@reeve/store';
import { z } from 'zod';
import { deviceOf } from './describe-session.ts';
import { type RiskSign, riskSigns } from './session.ts';

const kinds = ['device', 'network', 'country'] as const;
type Kind = (typeof kinds)[number];
type Seen = { name: string; at: string };

export type Familiar = Record<Kind, Seen[]> & { lastAt: string };
export type Familiars = Collections<Familiar>;

const signOf = { device: 'new_device', network: 'new_network', country: 'new_country' } as const;

const dayMs = 86_400_000;
const rememberedMs = 90 * dayMs;
const mostOfKind = 20;

/** Under the id of the user. */
export const familiars = collection<Familiar>({
  name: 'familiar',
  expiresAt: ({ lastAt }) => new Date(Date.parse(lastAt) + rememberedMs),
});

type At = { ip: string | null; userAgent: string | null };

/** Null for what is not known of a sign-in. */
export type Whereabouts = Record<Kind, string | null>;

export function whereabouts({ ip, userAgent }: At, places: Places | null): Whereabouts {
  const { browser, system } = deviceOf(userAgent);
  const device = browser === null && system === null ? null : `${browser ?? '?'} on ${system ?? '?'}`;
  return { device, network: networkOf(ip, { ipv4Bits: 24 }), country: places?.locate(ip)?.country ?? null };
}

/** Nothing is unusual of somebody of whom nothing is known yet. */
export const signsOf = (known: Familiar | null, here: Whereabouts): RiskSign[] =>
  kinds
    .filter(kind => known && known[kind].length > 0 && here[kind] !== null)
    .filter(kind => !known?.[kind].some(({ name }) => name === here[kind]))
    .map(kind => signOf[kind]);

export const riskSchema = z.object({
  level: z.enum(['low', 'medium', 'high']),
  signs: z.array(z.enum(riskSigns)).describe('What the person had not signed in from in the ninety days before'),
});

/** Another device somewhere else, or another country, is more than either a new device or a new network. */
export function riskOf(signs: readonly RiskSign[]): z.infer<typeof riskSchema> {
  const isHigh = signs.includes('new_country') || (signs.includes('new_device') && signs.includes('new_network'));
  return { level: isHigh ? 'high' : signs.length > 0 ? 'medium' : 'low', signs: [...signs] };
}

/** With where they are now; null where that is known of the last day. */
export function learnt(known: Familiar | null, here: Whereabouts, now: Date): Familiar | null {
  const at = now.toISOString();
  const isOld = (one: Seen, ms: number) => now.getTime() - Date.parse(one.at) > ms;
  const isKnown = (kind: Kind) =>
    here[kind] === null || known?.[kind].some(one => one.name === here[kind] && !isOld(one, dayMs));
  if (known && kinds.every(isKnown)) return null;
  const including = (kind: Kind): Seen[] => {
    const name = here[kind];
    const others = (known?.[kind] ?? []).filter(one => one.name !== name && !isOld(one, rememberedMs));
    return [...others, ...(name === null ? [] : [{ name, at }])].slice(-mostOfKind);
  };
  return { device: including('device'), network: including('network'), country: including('country'), lastAt: at };
}
