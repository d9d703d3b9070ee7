import ipaddr from 'ipaddr.js';

const prefixBits = 64;

/**
 * Who is behind an address: of IPv6 a whole /64, in which anybody has as many addresses as they like; of IPv4 the
 * address alone, or the network of so many bits that it is in. Null where it is none.
 */
export function networkOf(ip: string | null, { ipv4Bits = 32 }: { ipv4Bits?: number } = {}): string | null {
  if (ip === null || !ipaddr.isValid(ip)) return null;
  const address = ipaddr.process(ip);
  if (address.kind() === 'ipv4')
    return ipv4Bits === 32
      ? ip
      : `${ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${ipv4Bits}`).toString()}/${ipv4Bits}`;
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${address.toNormalizedString()}/${prefixBits}`).toString()}/${prefixBits}`;
}
