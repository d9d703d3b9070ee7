// Times, on both sides of the clock skew that is allowed. What lies beyond it does so by at least ten seconds where
// time works against the test.
import { attacks, type Draft, type SamlAttack } from './attack.ts';

const conditions = 'SAML core §2.5.1.2';
const confirmation = 'SAML profiles §4.1.4.2';
const session = 'SAML core §2.7.2';

export function timeAttacks(skewSeconds: number): SamlAttack[] {
  const drafts: Draft[] = [
    {
      name: 'not valid yet, within the skew',
      expected: 'accepted',
      clause: conditions,
      lies: ({ at }) => ({ notBefore: at(skewSeconds) }),
    },
    {
      name: 'not valid yet, beyond the skew',
      clause: conditions,
      control: 'not valid yet, within the skew',
      lies: ({ at }) => ({ notBefore: at(skewSeconds + 10) }),
    },
    {
      name: 'expired, within the skew',
      expected: 'accepted',
      clause: conditions,
      lies: ({ at }) => ({ notBefore: at(-600), notOnOrAfter: at(10 - skewSeconds) }),
    },
    {
      name: 'expired, by just the skew',
      clause: `${conditions}: not on, or after`,
      control: 'expired, within the skew',
      lies: ({ at }) => ({ notBefore: at(-600), notOnOrAfter: at(-skewSeconds) }),
    },
    {
      name: 'expired yesterday',
      clause: conditions,
      lies: ({ at }) => ({ notBefore: at(-90_000), notOnOrAfter: at(-86_400) }),
    },
    {
      name: 'a time of expiry that is not one',
      clause: 'SAML core §1.3.3',
      lies: { notOnOrAfter: 'tomorrow' },
    },
    {
      name: 'the confirmation expired, within the skew',
      expected: 'accepted',
      clause: confirmation,
      lies: ({ at }) => ({ confirmationNotOnOrAfter: at(10 - skewSeconds) }),
    },
    {
      name: 'the confirmation expired, by just the skew',
      clause: confirmation,
      control: 'the confirmation expired, within the skew',
      lies: ({ at }) => ({ confirmationNotOnOrAfter: at(-skewSeconds) }),
    },
    {
      name: 'the confirmation expired yesterday',
      clause: confirmation,
      lies: ({ at }) => ({ confirmationNotOnOrAfter: at(-86_400) }),
    },
    { name: 'the confirmation never expires', clause: confirmation, lies: { confirmationNotOnOrAfter: null } },
    {
      name: 'a time of expiry of the confirmation that is not one',
      clause: 'SAML core §1.3.3',
      lies: { confirmationNotOnOrAfter: 'tomorrow' },
    },
    {
      name: 'the confirmation has a NotBefore',
      clause: `${confirmation}: it must not have one`,
      lies: ({ at }) => ({ confirmationNotBefore: at(-60) }),
    },
    {
      name: 'the session ended, by just the skew',
      clause: session,
      control: 'a session that ends later',
      lies: ({ at }) => ({ sessionNotOnOrAfter: at(-skewSeconds) }),
    },
    {
      name: 'the session ended yesterday',
      clause: session,
      control: 'a session that ends later',
      lies: ({ at }) => ({ sessionNotOnOrAfter: at(-86_400) }),
    },
    {
      name: 'signed in tomorrow',
      clause: `${session}: the AuthnInstant is when it happened`,
      lies: ({ at }) => ({ authnInstant: at(86_400) }),
    },
  ];
  return attacks('times', drafts);
}
