// The name of a domain as DNS has it: lowercase ASCII, other scripts as punycode. What nobody can own alone is refused.
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { parse } from 'tldts';

export const challengeLabel = '_reeve-challenge';

/** RFC 1035 §2.3.4 allows 253 characters; the label of the record needs its part of them. */
const longest = 253 - challengeLabel.length - 1;

/** `domainToASCII` parses a URL's host: it would drop a path and a port, and decode percent signs. */
const foreignCharacter = /[^a-z0-9.\-\u0080-\u{10ffff}]/iu;

const hostname = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

export type DomainName = { name: string } | { refused: string };

/**
 * The name that somebody means, or in words why it can not be claimed. A top-level domain, and whatever the public
 * suffix list has (`co.uk`, `github.io`), belongs to all who register below it.
 */
export function domainName(text: string): DomainName {
  const given = text.trim().replace(/\.$/, '');
  const name = foreignCharacter.test(given) ? '' : domainToASCII(given);
  if (isIP(name) !== 0) return { refused: 'is an IP address' };
  if (!hostname.test(name)) return { refused: 'is not the name of a domain' };
  if (name.length > longest) return { refused: `is longer than ${longest} characters` };
  const { domain } = parse(name, { allowPrivateDomains: true });
  if (domain === null) return { refused: 'is a public suffix, below which anybody may register' };
  return { name };
}

/** The domain of an e-mail address, as it can be claimed; null where there is none. */
export function domainOf(address: string | null): string | null {
  const domain = /@([^@\s]*[^@\s.])$/.exec(address ?? '')?.[1];
  const found = domain === undefined ? null : domainName(domain);
  return found && 'name' in found ? found.name : null;
}
