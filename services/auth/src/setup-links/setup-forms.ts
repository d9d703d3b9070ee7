// What the forms of a set-up link say, as the API would be told it.
import { invalidField, ProblemError } from '@reeve/contracts';
import { type Connection, commonSettings } from '../connections/connection.ts';
import type { ConnectionChange, NewConnection } from '../connections/connection-administration.ts';
import type { Kinds } from '../connections/kinds/registry.ts';
import type { Guide } from '../setup/guide.ts';
import { kindOf } from './setup-page.ts';

const settingsOf = { saml: ['metadataUrl', 'metadataXml'], oidc: ['issuer', 'clientId', 'clientSecret'] } as const;

const fieldsOfForms = [
  'guide',
  ...settingsOf.saml,
  ...settingsOf.oidc,
  'email',
  'displayName',
  'identifierType',
  'identifierAttribute',
  'contacts',
  'revision',
];

/** What is filled in, of the fields that there are. Throws `input_invalid` for one that is there twice. */
export function filledIn(form: URLSearchParams): Record<string, string> {
  const filled = fieldsOfForms.flatMap(name => {
    const [value = '', ...others] = form.getAll(name);
    if (others.length > 0) throw invalidField(name, 'is there twice');
    return value.trim() === '' ? [] : [[name, value.trim()] as const];
  });
  return Object.fromEntries(filled);
}

/** What may be shown again to whoever has filled it in. */
export const withoutSecrets = (given: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(given).filter(([name]) => name !== 'clientSecret'));

/** Throws `input_invalid` with the fields as the API names them. */
export function settingsIn(
  guide: Guide,
  given: Record<string, string>,
  { kinds, isNew }: { kinds: Kinds; isNew: boolean },
): Record<string, unknown> {
  const kind = kindOf(guide);
  const said = settingsOf[kind].flatMap(name => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  if (said.length === 0) throw invalidField(settingsOf[kind][0], 'is missing');
  const parsed = kinds[kind][isNew ? 'input' : 'change'].safeParse(Object.fromEntries(said));
  if (!parsed.success) throw refused(parsed.error.issues);
  return parsed.data as Record<string, unknown>;
}

type Issue = { path: readonly PropertyKey[]; message: string };

const refused = (issues: readonly Issue[]) =>
  new ProblemError('input_invalid', undefined, {
    errors: issues.map(({ path, message }) => ({ field: path.join('.'), message })),
  });

/** A connection as its guide proposes it, with the provider's settings as they were given. */
export function newConnection(guide: Guide, settings: Record<string, unknown>): NewConnection {
  const kind = kindOf(guide);
  const { attributes, identifier, jit } = commonSettings.partial().loose().parse(guide.sample);
  return {
    name: guide.vendor,
    kind,
    domains: [],
    trustEmail: false,
    contacts: [],
    jit: jit ?? { enabled: true, defaultRoles: ['tenant_member'] },
    attributes: attributes ?? {},
    identifier: identifier ?? null,
    [kind]: settings,
  };
}

/** Of an attribute that an expression makes there is no field, and it stays. */
export function mappingIn(given: Record<string, string>, { attributes, identifier }: Connection): ConnectionChange {
  const fields = ['email', 'displayName'];
  const stays = Object.entries(attributes).filter(
    ([name, source]) => typeof source === 'object' || !fields.includes(name),
  );
  const said = fields.flatMap(name => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  const type = given['identifierType'];
  const attribute = typeof identifier?.attribute === 'object' ? identifier.attribute : given['identifierAttribute'];
  if (type !== undefined && attribute === undefined) throw invalidField('identifierAttribute', 'is missing');
  const wanted = {
    attributes: Object.fromEntries<unknown>([...said, ...stays]),
    identifier: type === undefined ? null : { type, attribute, normalize: identifier?.normalize ?? [] },
  };
  const parsed = commonSettings.pick({ attributes: true, identifier: true }).safeParse(wanted);
  if (!parsed.success) throw refused(parsed.error.issues);
  return parsed.data;
}

/** Nobody is told where none is named. */
export function contactsIn({ contacts = '' }: Record<string, string>): ConnectionChange {
  const named = contacts.split(/[\s,;]+/).filter(address => address !== '');
  const parsed = commonSettings.pick({ contacts: true }).safeParse({ contacts: named });
  if (!parsed.success) throw refused(parsed.error.issues);
  return parsed.data;
}
