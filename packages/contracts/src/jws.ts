/**
 * Whether a compact JWS (RFC 7515) has three parts, each in base64url as it is made: no padding, no stray bits. A
 * second way to write the same token would pass by whatever knows tokens by their text.
 */
export const isCanonicalJws = (token: string): boolean =>
  /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token) &&
  token.split('.').every(part => Buffer.from(part, 'base64url').toString('base64url') === part);
