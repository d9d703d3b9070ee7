// The variables by which a service is told where the keys of its vault are. Each kind begins with one of them; exactly
// one kind wraps, and others may be there to open what they have wrapped before.
import { z } from 'zod';
import { type KeyKind, keyKinds } from './key-management.ts';

const file = z.string().min(1).optional();
/** It stands in a path. */
const segment = z.string().regex(/^[\w.-]+$/, 'must be letters, digits, dots, hyphens and underscores');
const path = z.string().regex(/^[\w.-]+(\/[\w.-]+)*$/, 'must be a path without slashes around it');
const arn = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/;

function isSafeAddress(text: string): boolean {
  const { protocol, hostname, username, search, hash } = new URL(text);
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  return username === '' && search === '' && hash === '' && (protocol === 'https:' || (protocol === 'http:' && isHere));
}
const address = z.url().refine(isSafeAddress, 'must be https (http on this machine alone), without credentials');

/** For a service's schema; `oneKeyManagement` is to check the whole. */
export const keyManagementSettings = {
  REEVE_VAULT_KEY_FILE: file.describe(
    'Keys of the vault in a file; this, REEVE_VAULT_TRANSIT_URL or REEVE_VAULT_KMS_KEY_ARN has to be set (docs/keys.md)',
  ),
  REEVE_VAULT_TRANSIT_URL: address.optional().describe('Keys of the vault in the transit engine of OpenBao or Vault'),
  REEVE_VAULT_TRANSIT_MOUNT: path.default('transit').describe('Where the transit engine is mounted'),
  REEVE_VAULT_TRANSIT_KEY: segment.optional().describe('Its key, of the type aes256-gcm96'),
  REEVE_VAULT_TRANSIT_CA_FILE: file.describe('PEM of the authority that signs it, if not a public one'),
  REEVE_VAULT_TRANSIT_TOKEN_FILE: file.describe('File with a token that somebody keeps fresh, as an agent does'),
  REEVE_VAULT_TRANSIT_ROLE: z
    .string()
    .min(1)
    .optional()
    .describe('Without a token file: the role to sign in as by the service account of Kubernetes'),
  REEVE_VAULT_TRANSIT_AUTH_MOUNT: path.default('kubernetes').describe('With a role: where that method is mounted'),
  REEVE_VAULT_TRANSIT_JWT_FILE: z
    .string()
    .min(1)
    .default('/var/run/secrets/kubernetes.io/serviceaccount/token')
    .describe('With a role: the token of the service account'),
  REEVE_VAULT_KMS_KEY_ARN: z
    .string()
    .regex(arn, 'must be the ARN of a key, not of an alias')
    .optional()
    .describe('Keys of the vault in AWS KMS: a symmetric key, in the region that its ARN names'),
  REEVE_VAULT_KMS_FORMER_KEY_ARNS: z
    .string()
    .transform(text => text.split(',').map(one => one.trim()))
    .pipe(z.array(z.string().regex(arn, 'must be ARNs of keys')))
    .default([])
    .describe('Keys of AWS KMS that have wrapped before, comma-separated: what they have wrapped is opened'),
  REEVE_VAULT_KMS_ENDPOINT: address.optional().describe('Where KMS is, if not at the address of its region'),
  REEVE_VAULT_FORMER: z
    .enum(keyKinds)
    .optional()
    .describe('While keys move from one kind to another: the one of two that only opens what it has wrapped'),
};

const schema = z.object(keyManagementSettings);
export type KeyManagementSettings = z.infer<typeof schema>;

type Name = keyof KeyManagementSettings;

const firstOf = {
  key_file: 'REEVE_VAULT_KEY_FILE',
  transit: 'REEVE_VAULT_TRANSIT_URL',
  aws_kms: 'REEVE_VAULT_KMS_KEY_ARN',
} as const satisfies Record<KeyKind, Name>;

/** Of those that have no default. */
const furtherOf = {
  key_file: [],
  transit: [
    'REEVE_VAULT_TRANSIT_KEY',
    'REEVE_VAULT_TRANSIT_CA_FILE',
    'REEVE_VAULT_TRANSIT_TOKEN_FILE',
    'REEVE_VAULT_TRANSIT_ROLE',
  ],
  aws_kms: ['REEVE_VAULT_KMS_ENDPOINT'],
} as const satisfies Record<KeyKind, readonly Name[]>;

export const kindsIn = (settings: KeyManagementSettings): KeyKind[] =>
  keyKinds.filter(kind => settings[firstOf[kind]] !== undefined);

/** Names what is missing, what is too much, and what would be ignored. */
export function oneKeyManagement(settings: KeyManagementSettings, context: z.core.$RefinementCtx): void {
  const complain = (name: Name, message: string) => context.addIssue({ code: 'custom', path: [name], message });
  const { REEVE_VAULT_FORMER: former } = settings;
  const set = kindsIn(settings);
  const [wrapping, another] = set.filter(kind => kind !== former);

  if (former !== undefined && !set.includes(former)) complain('REEVE_VAULT_FORMER', `${firstOf[former]} is not set`);
  if (wrapping === undefined) {
    const names = keyKinds.filter(kind => kind !== former).map(kind => firstOf[kind]);
    complain(names[0] ?? firstOf.key_file, `one of ${names.join(', ')} has to be set`);
  } else if (another !== undefined) {
    complain(firstOf[another], `excludes ${firstOf[wrapping]}, unless REEVE_VAULT_FORMER names one of the two`);
  }
  for (const kind of keyKinds) {
    if (set.includes(kind)) continue;
    for (const name of furtherOf[kind]) if (settings[name] !== undefined) complain(name, `is for ${firstOf[kind]}`);
  }
  if (set.includes('transit')) wrongAboutTransit(settings, complain);
}

function wrongAboutTransit(settings: KeyManagementSettings, complain: (name: Name, message: string) => void): void {
  const {
    REEVE_VAULT_TRANSIT_KEY: key,
    REEVE_VAULT_TRANSIT_TOKEN_FILE: token,
    REEVE_VAULT_TRANSIT_ROLE: role,
  } = settings;
  if (key === undefined) complain('REEVE_VAULT_TRANSIT_KEY', 'is required with REEVE_VAULT_TRANSIT_URL');
  if (token === undefined && role === undefined)
    complain('REEVE_VAULT_TRANSIT_TOKEN_FILE', 'this or REEVE_VAULT_TRANSIT_ROLE has to be set');
  if (token !== undefined && role !== undefined)
    complain('REEVE_VAULT_TRANSIT_ROLE', 'excludes REEVE_VAULT_TRANSIT_TOKEN_FILE');
}
