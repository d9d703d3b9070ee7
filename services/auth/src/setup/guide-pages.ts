// docs/setup, of the guides.
import { signInCauses } from '@reeve/contracts';
import type { Guide, OurValue } from './guide.ts';
import { guides } from './guides.ts';

const meanings: Record<OurValue, string> = {
  redirectUri: '`redirectUri` of the connection',
  spEntityId: '`saml.spEntityId` of the connection',
  spMetadataUrl: '`saml.spMetadataUrl` of the connection',
  spCertificates: 'the first of `saml.spCertificates` of the connection',
  jwksUri: '`oidc.jwksUri` of the connection',
  logoutUrl: '`redirectUri` of the connection, with `/slo` in place of `/acs`',
};

const generated =
  'Generated from `services/auth/src/setup`. The words of the vendor are from its documentation; they were not tried ' +
  'with an account there, but for Keycloak ([peers](../../test/src/peers)).';

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

function page({ vendor, protocol, steps, fields, copied, sample, pitfalls }: Guide): string {
  const maybe = protocol === 'SAML' ? '`saml` may be `{}`' : 'Client id and secret may be made up';
  const last = steps.length + 2;
  return [
    `# ${vendor}, by ${protocol}`,
    '',
    generated,
    '',
    '1. Create the connection, which is a draft at first, with what is known so far: its answer holds the values for the',
    `   vendor. ${maybe} until the rest is set by \`PATCH\`.`,
    ...steps.map((step, index) => `${index + 2}. ${step}`),
    `${last}. \`…/{id}:test\`, then \`…/{id}:activate\`. Sign in, and look at the attempt at \`…/sign-in-attempts\`.`,
    '',
    '## What goes there',
    '',
    row(['field', 'value']),
    row(['---', '---']),
    ...fields.map(([field, value]) => row([field, meanings[value]])),
    '',
    '## What comes back',
    '',
    row(['there', 'in the connection']),
    row(['---', '---']),
    ...copied.map(([theirs, ours]) => row([theirs, `\`${ours}\``])),
    '',
    '## The connection',
    '',
    '`POST /v1/tenants/{tenantId}/sso-connections`, with what stands in angle brackets replaced:',
    '',
    '```json',
    JSON.stringify(sample, null, 2),
    '```',
    '',
    '## What goes wrong most often',
    '',
    row(['cause', 'here it is most often', 'what to do']),
    row(['---', '---', '---']),
    ...pitfalls.map(([cause, why]) => row([`\`${cause}\``, why, signInCauses[cause][1]])),
    '',
  ].join('\n');
}

function index(): string {
  const ids = guides.map(({ id, vendor, protocol }) => row([`[${vendor}](${id}.md)`, protocol]));
  const head = [
    '# Setting up a connection, by vendor',
    '',
    generated,
    '',
    row(['vendor', 'protocol']),
    row(['---', '---']),
  ];
  return [...head, ...ids, ''].join('\n');
}

/** By the names of the files in docs/setup. */
export const guidePages = (): Map<string, string> =>
  new Map([['README.md', index()], ...guides.map(guide => [`${guide.id}.md`, page(guide)] as const)]);
