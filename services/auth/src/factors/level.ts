// How sure it is who somebody is, beyond what their identity provider says of it: the levels that Reeve itself tells
// (`acr`), in order. Whoever has reached a higher one has reached those below.
export const levels = ['mfa', 'phishing_resistant'] as const;
export type Level = (typeof levels)[number];

const acrs: Record<Level, string> = {
  mfa: 'urn:reeve:acr:mfa',
  phishing_resistant: 'urn:reeve:acr:phishing-resistant',
};

export const acrOfLevel = (level: Level): string => acrs[level];
export const acrValues: readonly string[] = levels.map(acrOfLevel);

/** Those of which any says that the level was reached, the lowest first. */
export const acrsReaching = (wanted: Level): string[] => levels.slice(levels.indexOf(wanted)).map(acrOfLevel);

export const reachesLevel = (reached: Level | null, wanted: Level): boolean =>
  reached !== null && levels.indexOf(reached) >= levels.indexOf(wanted);

/** The lowest that is asked for, since any of what is asked for will do; null where none of ours is. */
export const levelAskedIn = (asked: readonly string[]): Level | null =>
  levels.find(level => asked.includes(acrs[level])) ?? null;

/** A level that was reached in a session: by which factor of the person, or by the word of their provider, and when. */
export type StepUp = {
  level: Level;
  by: 'identity_provider' | FactorKind;
  /** Of the factor; null for the provider's word. */
  factorId: string | null;
  /** RFC 8176. */
  amr: string[];
  at: string;
};

export const factorKinds = ['passkey', 'totp', 'recovery_codes'] as const;
export type FactorKind = (typeof factorKinds)[number];

/**
 * What each proves, and how tokens name it. A passkey is a key and whoever is verified by its device; whether hardware
 * holds the key nobody has attested, so it is `pop` and neither `hwk` nor `swk`.
 */
export const provenBy: Record<FactorKind, { level: Level; amr: readonly string[] }> = {
  passkey: { level: 'phishing_resistant', amr: ['pop', 'user', 'mfa'] },
  totp: { level: 'mfa', amr: ['otp', 'mfa'] },
  recovery_codes: { level: 'mfa', amr: ['mfa'] },
};

/** Also among others, and for whoever reads it without regard to case, width, space or what cannot be seen. */
const isLikeOurs = (acr: string): boolean =>
  acr
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^!-~]/g, '')
    .includes('urn:reeve:acr:');

type Said = { acr: string | null; amr: readonly string[]; stepUp?: StepUp | null };

/**
 * What is told of a session: the level that was reached in it, or else what the provider has said. To whoever asks for
 * other values that are true of it as well, one of those. A provider that says one of our levels says nothing: what its
 * word counts as is for the tenant's policy to say.
 */
export function acrOf({ acr: said, stepUp = null }: Omit<Said, 'amr'>, asked: readonly string[] = []): string | null {
  const acr = said !== null && isLikeOurs(said) ? null : said;
  if (!stepUp) return acr;
  const reached = levels.filter(level => reachesLevel(stepUp.level, level)).map(acrOfLevel);
  const own = acrs[stepUp.level];
  if (asked.length === 0 || asked.includes(own)) return own;
  const lower = reached.findLast(one => asked.includes(one));
  if (lower !== undefined) return lower;
  return acr !== null && asked.includes(acr) ? acr : own;
}

export const amrOf = ({ amr, stepUp = null }: Omit<Said, 'acr'>): string[] => [
  ...new Set([...amr, ...(stepUp?.amr ?? [])]),
];
