// What is looked at before any signature: that the text can only be a plain JWT of ours. What stands in a header is the
// sender's, so whatever would have a key come from elsewhere, or the token be read in another way, is refused unread.
import { isCanonicalJws, parseJson } from '@reeve/contracts';

/** Ours have some 700 characters. */
const longestToken = 16_384;
const longestKeyId = 200;

/** RFC 7515 §4.1, RFC 7516 §4.1 and RFC 7797: members that name another key or another reading. */
const refusedMembers = ['crit', 'b64', 'zip', 'enc', 'cty', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256'];

const textOf = (part: string): string => Buffer.from(part, 'base64url').toString('utf8');

/** Null where it is good. */
export function wrongInForm(token: string, algorithms: readonly string[]): string | null {
  if (token.length > longestToken) return 'it is too long';
  if (!isCanonicalJws(token)) return 'it is no JWT';
  const [head = '', body = ''] = token.split('.');
  try {
    const header = parseJson(textOf(head)) as Record<string, unknown> | null;
    // Duplicate members: what another reader takes them for would not be what was checked here.
    parseJson(textOf(body));
    if (typeof header !== 'object' || header === null) return 'it has no header';
    const refused = refusedMembers.find(name => Object.hasOwn(header, name));
    if (refused !== undefined) return `its header has ${refused}`;
    const { alg, typ, kid } = header;
    if (typeof alg !== 'string' || !algorithms.includes(alg)) return 'its algorithm is not taken';
    if (typ !== 'at+jwt') return 'it is no access token';
    return typeof kid === 'string' && kid !== '' && kid.length <= longestKeyId ? null : 'it names no key';
  } catch {
    return 'it is no JWT';
  }
}
