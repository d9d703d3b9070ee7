// How a SAML connection stands with IPSIE: its levels and common requirements. IPSIE has no profile of SAML, so what
// the controls of FAL2 come to in SAML is our reading of them. What is said to hold is refused otherwise by code:
// verify-response.ts and read-assertion.ts.
import { broken, type Clause, held, unknown } from '../clause.ts';
import { addressesOf, type Settings } from './settings.ts';

export const clausesOf = (settings: Settings): Clause[] => [
  ofTransport(settings),
  ...ofOurs,
  ofEncryption(settings),
  ofMaxAge,
  ...ofProvider,
  ofUnsolicited(settings),
];

function ofTransport({ idp, metadataUrl }: Settings): Clause {
  const addresses = [...addressesOf(idp), metadataUrl ?? undefined];
  const plain = addresses.filter(url => url !== undefined && !url.startsWith('https:'));
  const demand = { id: 'tls', level: 'SL1', clause: 'TLS everywhere', who: 'both' } as const;
  return plain.length === 0
    ? held(demand, 'All its addresses are https.')
    : broken(demand, `Without TLS: ${plain.join(', ')}`, 'Give metadata whose addresses are all https.');
}

const ofOurs: Clause[] = [
  held(
    {
      id: 'assertion_bound',
      level: 'SL1',
      clause: 'An assertion counts once, for us alone, in answer to one request of this browser',
      who: 'application',
    },
    'Audience, Recipient, Destination and InResponseTo are compared, and its ID is remembered over all instances.',
  ),
  held(
    { id: 'signature_algorithm', level: 'SL1', clause: 'Signed by SHA-256 or better, RSA of 2048 bits', who: 'both' },
    'Anything else is refused, whatever the settings. (That IPSIE bans RS256 is about JWTs.)',
  ),
];

function ofEncryption({ wantEncrypted }: Settings): Clause {
  const demand = {
    id: 'assertion_encrypted',
    level: 'SL1',
    clause: 'An assertion that passes the browser is encrypted',
    who: 'both',
  } as const;
  return wantEncrypted
    ? held(demand, 'One that is not encrypted is refused.')
    : broken(
        demand,
        'One that is not encrypted is taken.',
        'Give the provider the first of spCertificates, have it encrypt, and set saml.wantEncrypted.',
      );
}

const ofMaxAge: Clause = held(
  {
    id: 'max_age',
    level: 'SL1',
    clause: 'The application can say how long ago the person may have signed in (max_age)',
    who: 'application',
  },
  'SAML has no word for it: ForceAuthn is sent, and an older sign-in refused.',
);

const seeAttempt = 'Look at a sign-in (sign-in-attempts).';

const ofProvider: Clause[] = [
  unknown(
    {
      id: 'mfa',
      level: 'SL1',
      clause: 'Several factors are demanded, and AuthnContextClassRef says so',
      who: 'identity_service',
    },
    'What it says is handed on to applications; what it demands, only the provider knows.',
    'Demand several factors there for this application.',
  ),
  unknown(
    {
      id: 'session_expiry',
      level: 'SL1',
      clause: 'The assertion says when the session has to be over (SessionNotOnOrAfter)',
      who: 'identity_service',
    },
    'It is heeded where it is said; whether it is, shows in a sign-in alone.',
    seeAttempt,
  ),
  unknown(
    {
      id: 'privacy_offered',
      level: 'SL1',
      clause: 'Pairwise subjects are offered, and no more is said than is needed',
      who: 'identity_service',
    },
    'Not seen from here.',
    'Release to this application the attributes alone that its mapping names.',
  ),
  unknown(
    {
      id: 'asked_method_enforced',
      level: 'SL2',
      clause: 'A sign-in that does not meet the context that was asked for (RequestedAuthnContext) is an error',
      who: 'identity_service',
    },
    'acr_values that are URIs are handed on; applications see in acr what came of it.',
    'Sign in with a context that nobody there can reach and see whether it refuses.',
  ),
];

function ofUnsolicited({ allowIdpInitiated }: Settings): Clause {
  const demand = {
    id: 'no_unsolicited_assertions',
    level: 'SL2',
    clause: 'An assertion that nobody asked for is refused',
    who: 'application',
  } as const;
  return allowIdpInitiated
    ? broken(
        demand,
        'It is taken as a wish to begin a sign-in; it signs in nobody by itself.',
        'Unset saml.allowIdpInitiated, and give people the address of the application.',
      )
    : held(demand, 'It is refused (unsolicited).');
}
