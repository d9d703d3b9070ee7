// What is looked at before any signature: that the text can only be a plain JWT of ours. What stands in a header is the
// sender's, so whatever would have a key come from elsewhere, or the token be read in another way, is refused unread.
import { isCanonicalJws, parseJson } from '@reeve/contracts';

/** Ours have some 700 characters. */
const longestToken = 16_384;
const longestKeyId = 200;

/** RFC 7515 §4.1, RFC 7516 §4.1 and RFC 7797: members that name another key or another reading. */
const refusedMembers = ['crit', 'b64', 'zip', 'enc', 'cty', 'jku', 'jwk', 'x5u', 'x5c', 'x5t', 'x5t#S256'];

const textOf = (part: string): string => Buffer.from(part, 'base64url').toString('utf8');

/** The headers of an issuer are few and come again with each token. */
const mostHeaders = 32;

/** Gives what is wrong with a token, or null. */
export function createFormCheck(algorithms: readonly string[]) {
  const good = new Set<string>();

  function wrongInHeader(part: string): string | null {
    const header = parseJson(textOf(part)) as Record<string, unknown> | null;
    if (typeof header !== 'object' || header === null) return 'it has no header';
    const refused = refusedMembers.find(name => Object.hasOwn(header, name));
    if (refused !== undefined) return `its header has ${refused}`;
    const { alg, typ, kid } = header;
    if (typeof alg !== 'string' || !algorithms.includes(alg)) return 'its algorithm is not taken';
    if (typ !== 'at+jwt') return 'it is no access token';
    return typeof kid === 'string' && kid !== '' && kid.length <= longestKeyId ? null : 'it names no key';
  }

  return (token: string): string | null => {
    if (token.length > longestToken) return 'it is too long';
    if (!isCanonicalJws(token)) return 'it is no JWT';
    const header = token.slice(0, token.indexOf('.'));
    if (good.has(header)) return null;
    try {
      const wrong = wrongInHeader(header);
      if (wrong !== null) return wrong;
    } catch {
      return 'it is no JWT';
    }
    // Anybody can make up headers of this form.
    if (good.size >= mostHeaders) good.clear();
    good.add(header);
    return null;
  };
}

/**
 * Whether a verified payload has no member twice: another reader of the token may have taken it for something else.
 * What is written again to the same text has none, and that is quick to see.
 */
export function saysOneThing(token: string, payload: object): boolean {
  const text = textOf(token.slice(token.indexOf('.') + 1, token.lastIndexOf('.')));
  if (JSON.stringify(payload) === text) return true;
  try {
    parseJson(text);
    return true;
  } catch {
    return false;
  }
}
