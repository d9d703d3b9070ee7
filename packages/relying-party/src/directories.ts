// An issuer that stands for many directories, as Microsoft Entra's `common` and `organizations` do: its discovery
// document names no issuer but a template of one, and each ID token says in `tid` whose it is. Which directories those
// may be is said by whoever trusts the issuer; without such a list everybody who has any account there could come.

const place = '{tenantid}';
/** Segments that stand for many directories where the template has its place. */
const authorities = ['common', 'organizations'];

export const isOfManyDirectories = (issuer: string): boolean => issuer.includes(place);

/** Whether `authority`, as somebody gave it, is what a discovery document with this template is served for. */
export const isAuthorityOf = (template: string, authority: string): boolean =>
  authorities.some(name => template.replace(place, name) === authority);

/**
 * The issuer of that directory's tokens; null when it is none of those that are listed. An id of a directory is a UUID:
 * nothing else gets into a name that is compared.
 */
export function issuerOfDirectory(template: string, tid: unknown, directories: readonly string[]): string | null {
  return typeof tid === 'string' && directories.includes(tid) ? template.replace(place, () => tid) : null;
}

/** Whether a key that says whose it is (`issuer` in Entra's key set) may sign for the directory with that issuer. */
export const isKeyOf = (key: { issuer?: unknown }, issuer: string, template: string): boolean =>
  key.issuer === undefined || key.issuer === issuer || key.issuer === template;
