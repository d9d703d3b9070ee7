// Which networks inside an operator has opened for what tenants name: subnets and hosts, for a purpose or for all.
// Where machines of a cloud ask for their own credentials (link-local addresses, and what is like them) nothing is
// opened by it, whatever it says.
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { isInnerAddress } from './public-address.ts';

/** What of a tenant's is reached: by these names an operator opens a network for one of them alone. */
const outboundPurposes = ['identity_providers', 'applications', 'sinks', 'connectors'] as const;
export type OutboundPurpose = (typeof outboundPurposes)[number];

type Opened = { purpose: OutboundPurpose | null; subnet: string | null; host: string | null };

/** Those of a purpose. Plain data, for other processes as well. */
export type AllowedNetworks = {
  purpose: OutboundPurpose;
  /** In the form address/prefix. */
  subnets: readonly string[];
  /** In lower case. */
  hosts: readonly string[];
};

const hostName =
  /^(?=.{1,253}$)(?!.*\.localhost$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** An entry as it is written: `10.20.0.0/16`, or `sinks=siem.corp.example`. */
function readEntry(text: string): Opened | string {
  const [before, after] = text.includes('=') ? text.split(/=(.*)/s) : [null, text];
  const purpose = outboundPurposes.find(one => one === before) ?? null;
  if (before !== null && purpose === null)
    return `"${before}" is no purpose: it is one of ${outboundPurposes.join(', ')}`;
  const what = (after ?? '').trim().toLowerCase();
  if (hostName.test(what)) return { purpose, subnet: null, host: what };
  const { IPv4, IPv6 } = ipaddr;
  const subnet = IPv4.isValidFourPartDecimal(what) ? `${what}/32` : IPv6.isValid(what) ? `${what}/128` : what;
  if (!IPv4.isValidCIDRFourPartDecimal(subnet) && !IPv6.isValidCIDR(subnet))
    return `"${what}" is neither a subnet, as 10.20.0.0/16, nor a host with its domain`;
  return isWithinInner(subnet)
    ? { purpose, subnet, host: null }
    : `"${what}" is not within a private network (RFC 1918, RFC 6598, fc00::/7 or this machine's)`;
}

/** By its first and last address: no range of private addresses lies beside one that is not. */
function isWithinInner(subnet: string): boolean {
  const [address, prefix] = ipaddr.parseCIDR(subnet);
  const bytes = address.toByteArray();
  const edge = (fill: 0 | 1) =>
    ipaddr.fromByteArray(
      bytes.map((byte, index) => {
        const hostBits = Math.min(8, Math.max(0, 8 * (index + 1) - prefix));
        const mask = (1 << hostBits) - 1;
        return fill === 1 ? byte | mask : byte & ~mask & 0xff;
      }),
    );
  const [first, last] = [edge(0), edge(1)];
  // It would open nothing: an address that is written so is looked at as the one that it means.
  if (first instanceof ipaddr.IPv6 && first.isIPv4MappedAddress()) return false;
  return first.range() === last.range() && [first, last].every(one => isInnerAddress(one.toString()));
}

export const allowedNetworksSchema = z
  .string()
  .default('')
  .transform((text, context): Opened[] => {
    const entries = text
      .split(',')
      .map(part => part.trim())
      .filter(part => part !== '')
      .map(readEntry);
    for (const entry of entries) if (typeof entry === 'string') context.addIssue({ code: 'custom', message: entry });
    return entries.filter(entry => typeof entry === 'object');
  });

export function networksFor(opened: readonly Opened[], purpose: OutboundPurpose): AllowedNetworks {
  const own = opened.filter(one => one.purpose === null || one.purpose === purpose);
  return {
    purpose,
    subnets: own.flatMap(({ subnet }) => subnet ?? []),
    hosts: own.flatMap(({ host }) => host ?? []),
  };
}

/** `name` is that by which the address was found, where it was found by one. */
export function isAllowedInside(address: string, name: string | null, { subnets, hosts }: AllowedNetworks): boolean {
  if (!isInnerAddress(address)) return false;
  const host = name?.toLowerCase().replace(/\.$/, '') ?? null;
  if (host !== null && hosts.includes(host)) return true;
  const parsed = ipaddr.process(address);
  return subnets.some(subnet => {
    const [network, prefix] = ipaddr.parseCIDR(subnet);
    return network.kind() === parsed.kind() && parsed.match(network, prefix);
  });
}

/** What whoever may say so can do about a refusal. */
export const wouldOpen = ({ purpose }: AllowedNetworks): string =>
  `the operator opens networks inside by REEVE_ALLOWED_NETWORKS (${purpose}=…)`;
