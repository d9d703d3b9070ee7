// Identity providers that speak OpenID Connect.
import type { Guide } from './guide.ts';

const jit = { enabled: true, defaultRoles: ['tenant_member'] };
const client = { clientId: '<client id>', clientSecret: '<client secret>' };

export const oidcGuides: readonly Guide[] = [
  {
    id: 'entra-oidc',
    vendor: 'Microsoft Entra ID',
    protocol: 'OpenID Connect',
    steps: [
      'Microsoft Entra admin center, “App registrations”, “New registration”: accounts in this organizational ' +
        'directory only.',
      'Under “Redirect URI” choose “Web”.',
      '“Certificates & secrets”, “New client secret”: copy its value, which is shown once, and not its id.',
      '“Token configuration”, “Add optional claim”, “ID”, “email”.',
      '“Enterprise applications”, the application, “Properties”: set “Assignment required?” and assign who may come.',
    ],
    fields: [['Redirect URI (Web)', 'redirectUri']],
    copied: [
      ['Directory (tenant) ID', 'oidc.issuer'],
      ['Application (client) ID', 'oidc.clientId'],
      ['Client secret, its value', 'oidc.clientSecret'],
    ],
    sample: {
      name: 'Microsoft Entra ID',
      kind: 'oidc',
      oidc: { issuer: 'https://login.microsoftonline.com/<directory id>/v2.0', ...client },
      identifier: { type: 'directory_id', attribute: 'oid' },
      attributes: { email: { expression: 'has(claims.email) ? claims.email : claims.preferred_username' } },
      jit,
    },
    pitfalls: [
      ['client_secret_wrong', 'The id of the secret was copied in place of its value.'],
      ['client_secret_expired', 'Secrets end after two years at most: say when in `oidc.clientSecretExpiresAt`.'],
      ['redirect_uri_unregistered', 'It was added as “Single-page application”, or without its last character.'],
      ['wrong_directory', 'The person is signed in with an account of another directory.'],
      ['user_not_assigned', '“Assignment required?” is on, and the person or their group is not assigned.'],
      ['consent_missing', '“API permissions”, “Grant admin consent”.'],
    ],
  },
  {
    id: 'okta-oidc',
    vendor: 'Okta',
    protocol: 'OpenID Connect',
    steps: [
      'Okta Admin Console, “Applications”, “Create App Integration”: “OIDC - OpenID Connect”, “Web Application”.',
      'Leave “Authorization Code” as the only grant type.',
      'Assign the people or groups that may come.',
    ],
    fields: [['Sign-in redirect URIs', 'redirectUri']],
    copied: [
      ['The address of your Okta organization', 'oidc.issuer'],
      ['Client ID', 'oidc.clientId'],
      ['Client secret', 'oidc.clientSecret'],
    ],
    sample: {
      name: 'Okta',
      kind: 'oidc',
      oidc: { issuer: 'https://<your organization>.okta.com', ...client },
      jit,
    },
    pitfalls: [
      ['user_not_assigned', 'The person is not assigned to the application.'],
      ['issuer_wrong', 'A custom authorization server has an issuer of its own: `https://….okta.com/oauth2/…`.'],
    ],
  },
  {
    id: 'google-oidc',
    vendor: 'Google Workspace',
    protocol: 'OpenID Connect',
    steps: [
      'Google Cloud console, a project of your organization, “OAuth consent screen”: user type “Internal”.',
      '“Credentials”, “Create credentials”, “OAuth client ID”, “Web application”.',
      'Put your domain into the expression of the sample: the issuer is the same for everybody who has a Google ' +
        'account, and `hd` says whose Workspace it is.',
    ],
    fields: [['Authorized redirect URIs', 'redirectUri']],
    copied: [
      ['Client ID', 'oidc.clientId'],
      ['Client secret', 'oidc.clientSecret'],
    ],
    sample: {
      name: 'Google Workspace',
      kind: 'oidc',
      oidc: { issuer: 'https://accounts.google.com', ...client },
      identifier: {
        type: 'custom',
        attribute: { expression: 'has(claims.hd) && claims.hd == "<your domain>" ? claims.sub : ""' },
      },
      jit,
    },
    pitfalls: [
      ['attribute_missing', 'The account is a private one, or of another Workspace than the expression names.'],
      ['redirect_uri_unregistered', 'A new redirect URI takes minutes to count.'],
    ],
  },
  {
    id: 'ping-oidc',
    vendor: 'PingOne',
    protocol: 'OpenID Connect',
    steps: [
      'PingOne, “Applications”, “+”: “OIDC Web App”.',
      '“Attribute Mappings”: `email` to “Email Address”, `name` to “Formatted”.',
      '“Resources”: allow the scopes `email` and `profile`. Enable the application.',
    ],
    fields: [['Redirect URIs', 'redirectUri']],
    copied: [
      ['Issuer ID', 'oidc.issuer'],
      ['Client ID', 'oidc.clientId'],
      ['Client Secret', 'oidc.clientSecret'],
    ],
    sample: {
      name: 'PingOne',
      kind: 'oidc',
      oidc: { issuer: 'https://auth.pingone.com/<environment id>/as', ...client },
      jit,
    },
    pitfalls: [['scope_refused', 'The application does not have the scopes `email` and `profile`.']],
  },
  {
    id: 'onelogin-oidc',
    vendor: 'OneLogin',
    protocol: 'OpenID Connect',
    steps: [
      'OneLogin, “Applications”, “Add App”: “OpenId Connect (OIDC)”.',
      '“SSO”: application type “Web”, token endpoint authentication “Basic”.',
      '“Users” or “Access”: give the application to who may come.',
    ],
    fields: [['Redirect URI’s', 'redirectUri']],
    copied: [
      ['Issuer URL', 'oidc.issuer'],
      ['Client ID', 'oidc.clientId'],
      ['Client Secret', 'oidc.clientSecret'],
    ],
    sample: {
      name: 'OneLogin',
      kind: 'oidc',
      oidc: { issuer: 'https://<your subdomain>.onelogin.com/oidc/2', ...client },
      jit,
    },
    pitfalls: [['issuer_wrong', 'The issuer ends in `/oidc/2`, without a slash.']],
  },
  {
    id: 'keycloak-oidc',
    vendor: 'Keycloak',
    protocol: 'OpenID Connect',
    steps: [
      'The realm, “Clients”, “Create client”: client type “OpenID Connect”.',
      'Turn “Client authentication” on; leave “Standard flow” as the only flow.',
      '“Advanced”, “Proof Key for Code Exchange Code Challenge Method”: S256.',
    ],
    fields: [['Valid redirect URIs', 'redirectUri']],
    copied: [
      ['Realm settings, “OpenID Endpoint Configuration”: issuer', 'oidc.issuer'],
      ['Client ID', 'oidc.clientId'],
      ['“Credentials”, “Client Secret”', 'oidc.clientSecret'],
    ],
    sample: { name: 'Keycloak', kind: 'oidc', oidc: { issuer: 'https://<host>/realms/<realm>', ...client }, jit },
    pitfalls: [
      ['redirect_uri_unregistered', 'Keycloak shows the refusal itself: “Invalid parameter: redirect_uri”.'],
      ['issuer_wrong', 'Keycloak is reached by another name than its “Frontend URL”.'],
    ],
  },
  {
    id: 'jumpcloud-oidc',
    vendor: 'JumpCloud',
    protocol: 'OpenID Connect',
    steps: [
      'JumpCloud, “SSO Applications”, “Add New Application”, “Custom Application”: “Configure SSO with OIDC”.',
      'Client authentication type “Client Secret Basic”; map `email` and `name`.',
      'Give the application to the user groups that may come.',
    ],
    fields: [['Redirect URIs', 'redirectUri']],
    copied: [
      ['Client ID', 'oidc.clientId'],
      ['Client Secret, which is shown once', 'oidc.clientSecret'],
    ],
    sample: { name: 'JumpCloud', kind: 'oidc', oidc: { issuer: 'https://oauth.id.jumpcloud.com/', ...client }, jit },
    pitfalls: [['issuer_wrong', 'The issuer ends with a slash, in `oidc.issuer` as well.']],
  },
  {
    id: 'generic-oidc',
    vendor: 'Any provider of OpenID Connect',
    protocol: 'OpenID Connect',
    steps: [
      'Register a web application with the authorization code grant, PKCE (S256) and client ' +
        'authentication by a secret, ' +
        'or by a key (`privateKeyJwt`).',
      'Allow the scopes `openid`, `email` and `profile`.',
    ],
    fields: [
      ['Redirect URI', 'redirectUri'],
      ['JWKS URI, with `privateKeyJwt`', 'jwksUri'],
    ],
    copied: [
      ['Issuer', 'oidc.issuer'],
      ['Client id', 'oidc.clientId'],
      ['Client secret', 'oidc.clientSecret'],
    ],
    sample: { name: 'Our directory', kind: 'oidc', oidc: { issuer: 'https://<issuer>', ...client }, jit },
    pitfalls: [
      ['id_token_signature', 'ID tokens have to be signed by RS256, PS256, ES256 or EdDSA.'],
      ['code_exchange', 'The provider wants another client authentication than its discovery document says.'],
    ],
  },
];
