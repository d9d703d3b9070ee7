// Identity providers that speak SAML 2.0.
import type { Guide } from './guide.ts';

const jit = { enabled: true, defaultRoles: ['tenant_member'] };
const byUrl = (name: string, metadataUrl: string) => ({ name, kind: 'saml', saml: { metadataUrl }, jit });

export const samlGuides: readonly Guide[] = [
  {
    id: 'entra-saml',
    vendor: 'Microsoft Entra ID',
    protocol: 'SAML',
    steps: [
      'Microsoft Entra admin center, “Enterprise applications”, “New application”, “Create your own application”: ' +
        'the one that is not in the gallery.',
      '“Single sign-on”, “SAML”, “Basic SAML Configuration”: fill in the fields below.',
      '“SAML Certificates”, “Edit”: signing option “Sign SAML response and assertion”, algorithm SHA-256.',
      'Where assertions are to be encrypted: “Token encryption”, import the certificate, activate it, and set ' +
        '`saml.wantEncrypted`.',
      '“Users and groups”: assign who may come.',
    ],
    fields: [
      ['Identifier (Entity ID)', 'spEntityId'],
      ['Reply URL (Assertion Consumer Service URL)', 'redirectUri'],
      ['Logout Url', 'logoutUrl'],
      ['Token encryption certificate', 'spCertificates'],
    ],
    copied: [['App Federation Metadata Url', 'saml.metadataUrl']],
    sample: {
      ...byUrl(
        'Microsoft Entra ID',
        'https://login.microsoftonline.com/<directory id>/federationmetadata/2007-06/federationmetadata.xml?appid=<application id>',
      ),
      identifier: {
        type: 'directory_id',
        attribute: 'http://schemas.microsoft.com/identity/claims/objectidentifier',
      },
    },
    pitfalls: [
      ['saml_audience', 'The Identifier is not `spEntityId`, character for character.'],
      ['saml_algorithm', 'Assertions are encrypted by AES-CBC, and the response is not signed: sign both.'],
      [
        'saml_certificate_unknown',
        'The certificate was renewed: the metadata is read again, at the latest in six hours.',
      ],
    ],
  },
  {
    id: 'okta-saml',
    vendor: 'Okta',
    protocol: 'SAML',
    steps: [
      'Okta Admin Console, “Applications”, “Create App Integration”: “SAML 2.0”.',
      '“Name ID format”: “Persistent”. Leave “Use this for Recipient URL and Destination URL” on.',
      '“Attribute Statements”: `email` = `user.email`, `firstName` = `user.firstName`, `lastName` = `user.lastName`.',
      'Assign the people or groups that may come.',
    ],
    fields: [
      ['Single sign-on URL', 'redirectUri'],
      ['Audience URI (SP Entity ID)', 'spEntityId'],
      ['Encryption Certificate (advanced settings)', 'spCertificates'],
    ],
    copied: [['“Sign On”, “Metadata URL”', 'saml.metadataUrl']],
    sample: byUrl('Okta', 'https://<your organization>.okta.com/app/<application>/sso/saml/metadata'),
    pitfalls: [
      ['saml_destination', '“Single sign-on URL” is not `redirectUri`.'],
      ['unsolicited', 'People start from the Okta dashboard: set `saml.allowIdpInitiated`, or use a bookmark app.'],
    ],
  },
  {
    id: 'google-saml',
    vendor: 'Google Workspace',
    protocol: 'SAML',
    steps: [
      'Google Admin console, “Apps”, “Web and mobile apps”, “Add app”, “Add custom SAML app”.',
      'Download the metadata, which has no address, and give it as `saml.metadataXml`.',
      '“Service provider details”: tick “Signed response”; “Name ID format” PERSISTENT, “Name ID” primary email.',
      '“Attributes”: primary email to `email`, first name to `firstName`, last name to `lastName`.',
      'Turn the app on for the organizational units that may come.',
    ],
    fields: [
      ['ACS URL', 'redirectUri'],
      ['Entity ID', 'spEntityId'],
    ],
    copied: [['Google IdP metadata', 'saml.metadataXml']],
    sample: { name: 'Google Workspace', kind: 'saml', saml: { metadataXml: '<the metadata, as one text>' }, jit },
    pitfalls: [
      ['saml_certificate_unknown', 'The certificate was renewed in the console: give the metadata anew.'],
      ['saml_request_denied', 'The app is off for the person; Google shows `app_not_enabled_for_user` itself.'],
    ],
  },
  {
    id: 'ping-saml',
    vendor: 'PingOne',
    protocol: 'SAML',
    steps: [
      'PingOne, “Applications”, “+”: “SAML Application”, “Import From URL” of our metadata, or by hand.',
      '“Sign”: “Sign Assertion & Response”, with an RSA certificate.',
      '“Attribute Mappings”: `saml_subject` to “User ID”, `email` to “Email Address”. Enable the application.',
    ],
    fields: [
      ['Import From URL', 'spMetadataUrl'],
      ['ACS URLs', 'redirectUri'],
      ['Entity ID', 'spEntityId'],
    ],
    copied: [['IDP Metadata URL', 'saml.metadataUrl']],
    sample: byUrl('PingOne', 'https://auth.pingone.com/<environment id>/saml20/metadata/<application id>'),
    pitfalls: [['saml_algorithm', 'The application signs by an EC certificate: choose an RSA one.']],
  },
  {
    id: 'onelogin-saml',
    vendor: 'OneLogin',
    protocol: 'SAML',
    steps: [
      'OneLogin, “Applications”, “Add App”: “SAML Custom Connector (Advanced)”.',
      '“Configuration”: SAML initiator “Service Provider”, SAML signature element “Both”.',
      '“SSO”: “SAML Signature Algorithm” SHA-256.',
      '“Parameters”: `email`, `firstName`, `lastName`, each included in the SAML assertion.',
    ],
    fields: [
      ['Audience (EntityID)', 'spEntityId'],
      ['Recipient', 'redirectUri'],
      ['ACS (Consumer) URL', 'redirectUri'],
      ['ACS (Consumer) URL Validator, as a regular expression of it', 'redirectUri'],
      ['Single Logout URL', 'logoutUrl'],
    ],
    copied: [['“SSO”, “Issuer URL”', 'saml.metadataUrl']],
    sample: byUrl('OneLogin', 'https://app.onelogin.com/saml/metadata/<id>'),
    pitfalls: [['saml_algorithm', '“SAML Signature Algorithm” is still SHA-1, which it is at first.']],
  },
  {
    id: 'keycloak-saml',
    vendor: 'Keycloak',
    protocol: 'SAML',
    steps: [
      'The realm, “Clients”, “Import client”: our metadata; or “Create client” with client type “SAML” and ' +
        '`spEntityId` as its client id.',
      '“Settings”: “Sign documents” and “Sign assertions” on, signature algorithm RSA_SHA256, name ID format ' +
        '“persistent”.',
      '“Client scopes”, the dedicated one, “Add predefined mapper”: X500 email, givenName, surname.',
    ],
    fields: [
      ['Client ID', 'spEntityId'],
      ['Valid redirect URIs', 'redirectUri'],
      ['Logout Service Redirect Binding URL', 'logoutUrl'],
      ['“Keys”, encryption certificate', 'spCertificates'],
    ],
    copied: [['Realm settings, “SAML 2.0 Identity Provider Metadata”', 'saml.metadataUrl']],
    sample: byUrl('Keycloak', 'https://<host>/realms/<realm>/protocol/saml/descriptor'),
    pitfalls: [
      ['saml_request_wrong', 'Keycloak shows “Invalid requester”: “Client signature required” needs `spCertificates`.'],
      [
        'saml_certificate_unknown',
        'The realm’s keys were rotated: the metadata is read again, at the latest in six hours.',
      ],
    ],
  },
  {
    id: 'jumpcloud-saml',
    vendor: 'JumpCloud',
    protocol: 'SAML',
    steps: [
      'JumpCloud, “SSO Applications”, “Add New Application”, “Custom Application”: “Configure SSO with SAML”.',
      '“Signature Algorithm” RSA-SHA256; sign assertion and response.',
      '“SAMLSubject NameID” email, and its format persistent; attributes `email`, `firstname`, `lastname`.',
      'Give the application to the user groups that may come.',
    ],
    fields: [
      ['SP Entity ID', 'spEntityId'],
      ['ACS URLs', 'redirectUri'],
    ],
    copied: [['“Copy Metadata URL”', 'saml.metadataUrl']],
    sample: byUrl('JumpCloud', 'https://sso.jumpcloud.com/saml2/metadata/<id>'),
    pitfalls: [['saml_audience', '“SP Entity ID” is not `spEntityId`, character for character.']],
  },
  {
    id: 'generic-saml',
    vendor: 'Any SAML 2.0 identity provider',
    protocol: 'SAML',
    steps: [
      'Import our metadata, or fill in entity id and assertion consumer service (binding HTTP-POST).',
      'Sign by RSA-SHA256, the assertion at least.',
      'Send a lasting NameID (persistent, or an identifier of yours), and `email`, `firstName` and `lastName` ' +
        'as attributes.',
    ],
    fields: [
      ['Metadata', 'spMetadataUrl'],
      ['Entity id, or audience', 'spEntityId'],
      ['Assertion consumer service URL', 'redirectUri'],
      ['Single logout URL', 'logoutUrl'],
    ],
    copied: [['Address of its metadata', 'saml.metadataUrl']],
    sample: byUrl('Our directory', 'https://<host>/metadata'),
    pitfalls: [
      ['subject_missing', 'The NameID is transient: set an `identifier`.'],
      ['saml_unsigned', 'Nothing is signed: providers that sign what travels by POST do so only when it is set.'],
      ['clock_ahead', 'The clock of the provider is more than a minute away.'],
    ],
  },
];
