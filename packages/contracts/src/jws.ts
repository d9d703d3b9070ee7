/**
 * Whether a compact JWS (RFC 7515) has three parts, each in base64url as it is made: no padding, no stray bits. A
 * second way to write the same token would pass by whatever knows tokens by their text.
 */
export const isCanonicalJws = (token: string): boolean =>
  /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) && token.split('.').every(isCanonical);

/** Each four characters stand for three bytes: only what is left over at the end can be written in another way. */
function isCanonical(part: string): boolean {
  const end = part.slice(part.length - (part.length % 4));
  return Buffer.from(end, 'base64url').toString('base64url') === end;
}
