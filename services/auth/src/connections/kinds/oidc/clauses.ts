// How a connection by OpenID Connect stands with IPSIE: its levels, common requirements and OpenID SL1 profile (drafts
// of 2025 and 2026). What is said to hold is refused otherwise by code: relying-party for the protocol, settings.ts for
// what is registered.
import { broken, type Clause, held, unknown } from '../clause.ts';
import { authorityOf, type Settings } from './settings.ts';

/** RS256 is not among them: IPSIE takes no PKCS #1 v1.5 signatures in JWTs. */
const profileAlgorithms = ['PS256', 'ES256', 'EdDSA', 'Ed25519'];

export const clausesOf = (settings: Settings): Clause[] => [
  ...ofTransport(settings),
  ...ofOurs,
  ofIdTokenAlgorithm(settings),
  ofIssuer(settings),
  ofIssInAnswer(settings),
  ofOurCredential(settings),
  ...ofWhatIsMissing,
  ...ofProvider,
  held(
    {
      id: 'no_unsolicited_assertions',
      level: 'SL2',
      clause: 'An answer that nobody asked for is refused',
      who: 'application',
    },
    'A code counts only with the state of a sign-in that began in the same browser, and with its nonce.',
  ),
];

function ofTransport({ metadata, ...settings }: Settings): Clause[] {
  const { authorization_endpoint, token_endpoint, jwks_uri, userinfo_endpoint = null } = metadata;
  const addresses = [authorityOf({ metadata, ...settings }), authorization_endpoint, token_endpoint, jwks_uri];
  const plain = [...addresses, userinfo_endpoint].filter(url => url !== null && !url.startsWith('https:'));
  const demand = {
    id: 'tls',
    level: 'SL1',
    clause: 'TLS 1.2 or newer with a valid certificate, everywhere',
    who: 'both',
  } as const;
  return [
    plain.length === 0
      ? held(demand, 'All its addresses are https; certificates are verified, and older versions of TLS refused.')
      : broken(demand, `Without TLS: ${plain.join(', ')}`, 'Give an issuer whose addresses are all https.'),
  ];
}

const ofOurs: Clause[] = [
  held(
    { id: 'code_with_pkce', level: 'SL1', clause: 'Authorization code with PKCE (S256)', who: 'application' },
    'No other response type is asked for; each sign-in has a verifier of its own, which never leaves the server.',
  ),
  held(
    {
      id: 'max_age',
      level: 'SL1',
      clause: 'The application can say how long ago the person may have signed in (max_age)',
      who: 'application',
    },
    'It is handed on, and an ID token with an older auth_time, or none, is refused.',
  ),
  held(
    {
      id: 'assertion_not_in_browser',
      level: 'SL1',
      clause: 'An assertion that passes the browser is encrypted',
      who: 'both',
    },
    'None does: the ID token comes from the token endpoint.',
  ),
  held(
    { id: 'key_sizes', level: 'SL1', clause: 'RSA keys of 2048 bits or more, EC of 224 or more', who: 'both' },
    'An ID token by a smaller key is refused.',
  ),
];

function ofIdTokenAlgorithm({ metadata }: Settings): Clause {
  const demand = {
    id: 'id_token_algorithm',
    level: 'SL1',
    clause: 'ID tokens are signed by PS256, ES256 or EdDSA, and by nothing else (RS256 is banned)',
    who: 'both',
  } as const;
  // What is announced is what is accepted: the metadata was kept, and a token by another algorithm is refused.
  const banned = metadata.id_token_signing_alg_values_supported.filter(one => !profileAlgorithms.includes(one));
  return banned.length === 0
    ? held(demand, `Taken: ${metadata.id_token_signing_alg_values_supported.join(', ')}.`)
    : broken(
        demand,
        `The provider announces ${banned.join(', ')}, which is taken as well.`,
        'Have the provider announce PS256, ES256 or EdDSA alone, and set the issuer again.',
      );
}

function ofIssuer({ metadata, entraTenants }: Settings): Clause {
  const demand = {
    id: 'issuer_discovered',
    level: 'SL1',
    clause: 'What is known of the provider was discovered, and names the very issuer that it was discovered by',
    who: 'application',
  } as const;
  return entraTenants === undefined
    ? held(demand, `It was, and stays as it was found: ${metadata.issuer}.`)
    : broken(
        demand,
        'The issuer stands for many directories, and its document names a template of issuers.',
        'Make a connection for each directory, with the issuer of that directory.',
      );
}

function ofIssInAnswer({ metadata }: Settings): Clause {
  const demand = {
    id: 'iss_in_answer',
    level: 'SL1',
    clause: 'The answer in the browser says whose it is (iss, RFC 9207), and that is checked',
    who: 'both',
  } as const;
  return metadata.authorization_response_iss_parameter_supported === true
    ? held(demand, 'The provider announces it, so an answer without it, or with another, is refused.')
    : broken(
        demand,
        'The provider does not announce it, so an answer without it is taken; each connection has a callback ' +
          'of its own.',
        'Have the provider send it and announce it, and set the issuer again.',
      );
}

function ofOurCredential({ clientKey }: Settings): Clause {
  const demand = {
    id: 'client_credential',
    level: 'SL1',
    clause: 'Our credential there has 128 bits or more; an assertion by it is for the issuer alone',
    who: 'both',
  } as const;
  return clientKey
    ? held(demand, `A key of our own (${clientKey.alg}); the audience of what it signs is the issuer, as one text.`)
    : unknown(
        demand,
        'A secret that the provider has made; nobody can tell how.',
        'Set privateKeyJwt where the provider takes it.',
      );
}

/** The profile demands it of us, and the code does not do it. */
const ofWhatIsMissing: Clause[] = [
  broken(
    { id: 'audience_one_text', level: 'SL1', clause: 'The audience of an ID token is one text', who: 'both' },
    'A list that holds nobody but us is taken as well.',
    null,
  ),
  broken(
    { id: 'dpop', level: 'SL1', clause: 'Tokens are bound to a key of the application (DPoP)', who: 'application' },
    'No proofs are made. The access token is used once, for UserInfo, and not kept.',
    null,
  ),
  broken(
    {
      id: 'third_party_initiated_login',
      level: 'SL1',
      clause: 'The provider can have a sign-in begin (initiate_login_uri)',
      who: 'application',
    },
    'There is no such address of a connection.',
    'Give people the address of the application.',
  ),
];

const ask = 'Ask the provider, or look into its documentation.';
const seeClaims = 'Look at the claims of a sign-in (sign-in-attempts).';

const ofProvider: Clause[] = [
  unknown(
    {
      id: 'mfa',
      level: 'SL1',
      clause: 'Several factors are demanded, and amr, acr and auth_time say so',
      who: 'identity_service',
    },
    'What it says is handed on to applications; what it demands, only the provider knows.',
    'Demand several factors there for this application.',
  ),
  unknown(
    {
      id: 'session_expiry',
      level: 'SL1',
      clause: 'The ID token says when the session has to be over (session_expiry)',
      who: 'identity_service',
    },
    'It is heeded where it is said; whether it is, shows in a sign-in alone.',
    seeClaims,
  ),
  unknown(
    {
      id: 'id_token_form',
      level: 'SL1',
      clause: 'In ID tokens acr is a text, amr a list and auth_time is there',
      who: 'identity_service',
    },
    'What has another form counts as not said.',
    seeClaims,
  ),
  unknown(
    {
      id: 'provider_demands_pkce',
      level: 'SL1',
      clause: 'Code and PKCE are demanded, and the password grant is refused',
      who: 'identity_service',
    },
    'We send PKCE; whether others get along without it, we cannot see.',
    ask,
  ),
  unknown(
    {
      id: 'active_reauthentication',
      level: 'SL1',
      clause: 'max_age leads to a real sign-in',
      who: 'identity_service',
    },
    'We believe its auth_time.',
    'Sign in with max_age=0 and see whether it asks.',
  ),
  unknown(
    {
      id: 'provider_hardening',
      level: 'SL1',
      clause: 'Codes count once and for 60 seconds, redirect URIs exactly; no open registration, no 307, HSTS',
      who: 'identity_service',
    },
    'Not seen from here.',
    ask,
  ),
  unknown(
    {
      id: 'privacy_offered',
      level: 'SL1',
      clause: 'Encrypted ID tokens and pairwise subjects are offered, and no more is said than is needed',
      who: 'identity_service',
    },
    'Not seen from here.',
    'Release to this application the claims alone that its mapping names.',
  ),
  unknown(
    {
      id: 'asked_method_enforced',
      level: 'SL2',
      clause: 'A sign-in that does not meet the method that was asked for (acr_values) is an error',
      who: 'identity_service',
    },
    'acr_values is handed on; applications see in acr what came of it.',
    'Sign in with an acr that nobody there can reach and see whether it refuses.',
  ),
];
