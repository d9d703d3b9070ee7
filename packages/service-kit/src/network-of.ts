import ipaddr from 'ipaddr.js';

const prefixBits = 64;

/**
 * Who is behind an address: of IPv6 a whole /64, in which anybody has as many addresses as they like. Null where it is
 * none.
 */
export function networkOf(ip: string | null): string | null {
  if (ip === null || !ipaddr.isValid(ip)) return null;
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4') return ip;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${prefixBits}`).toString()}/${prefixBits}`;
}
