// Which addresses are out on the internet, and so may be connected to because a tenant said so.
import ipaddr from 'ipaddr.js';

/** All of IPv6 that is given out for the internet (RFC 4291 §2.4); within it, `range()` knows what is set aside. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Behind a translator, a network without IPv4 reaches the IPv4 internet here, the address in the last 32 bits (RFC 6052
 * §2.1).
 */
const translated = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * What embeds an IPv4 address is public only if that address is: a gateway takes the packet to it. Only the two forms
 * that name no other way are taken apart (`::ffff:a.b.c.d`, `64:ff9b::a.b.c.d`). The rest, from 6to4 to addresses
 * compatible with IPv4, is no place where a receiver stands.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.range() === 'unicast';
  if (parsed.match(translated)) return isPublicAddress(ipaddr.fromByteArray(parsed.toByteArray().slice(-4)).toString());
  return parsed.match(globalUnicast) && parsed.range() === 'unicast';
}

const inner = new Set<string>(['private', 'carrierGradeNat', 'uniqueLocal', 'loopback']);

/** Where machines of clouds find their credentials besides link-local addresses: of Amazon's by IPv6, and Alibaba's. */
const ofClouds = [ipaddr.IPv6.parseCIDR('fd00:ec2::/32'), ipaddr.IPv4.parseCIDR('100.100.100.200/32')] as const;
const isOfCloud = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean =>
  ofClouds.some(([network, prefix]) => network.kind() === address.kind() && address.match(network, prefix));

/**
 * Whether it is an address inside a network of one's own, or this machine. Others that are not public are of nobody:
 * those where machines of a cloud find their credentials, those of many at once, and those that name no place.
 */
export function isInnerAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return inner.has(parsed.range()) && !isOfCloud(parsed);
}
