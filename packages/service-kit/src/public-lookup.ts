// The look-up that the SSRF guard gives to a connection: DNS alone, and of what it says only public addresses, and
// those inside that the operator has opened.
import { type LookupAddress, Resolver } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { callbackify, promisify } from 'node:util';
import { ProblemError } from '@reeve/contracts';
import { type AllowedNetworks, isAllowedInside, wouldOpen } from './allowed-networks.ts';
import { isPublicAddress } from './public-address.ts';

const timeoutMs = 2_000;
const tries = 2;

/** Names that mean this machine, whatever a name server says (RFC 6761 §6.3). */
const thisMachine = /^(.+\.)?localhost\.?$/i;

type LookupOptions = {
  /** Those of the system where left out. */
  nameServers?: readonly string[];
  /** Networks inside that are open. */
  allowed?: AllowedNetworks | undefined;
};

/**
 * Asked by the connection itself, so that what was checked is what is connected to. Of a name with public and other
 * addresses only those that may be connected to are left; a name without any errs with `url_refused`.
 *
 * It does not use the system's own look-up (`dns.lookup`). That one occupies a thread of the process for as long as a
 * tenant's name server likes, and there are two for everybody, the store and the broker among them; it also completes
 * short names to names inside the network.
 */
export function createPublicLookup({ nameServers, allowed }: LookupOptions = {}): LookupFunction {
  const resolver = new Resolver({ timeout: timeoutMs, tries });
  if (nameServers) resolver.setServers([...nameServers]);
  const ask = { 4: promisify(resolver.resolve4.bind(resolver)), 6: promisify(resolver.resolve6.bind(resolver)) };

  const addressesOf = async (name: string, family: 4 | 6): Promise<LookupAddress[]> =>
    (await ask[family](name)).map(address => ({ address, family }));

  async function takenOnes(name: string, family: number): Promise<[LookupAddress, ...LookupAddress[]]> {
    if (thisMachine.test(name)) throw new ProblemError('url_refused', 'the name is that of this machine');
    const asked = ([4, 6] as const).filter(one => family === 0 || family === one);
    const answers = await Promise.allSettled(asked.map(one => addressesOf(name, one)));
    const found = answers.flatMap(answer => (answer.status === 'fulfilled' ? answer.value : []));
    const isTaken = ({ address }: LookupAddress) =>
      isPublicAddress(address) || (allowed !== undefined && isAllowedInside(address, name, allowed));
    const [first, ...others] = found.filter(isTaken);
    if (first) return [first, ...others];
    const failure = answers.find(answer => answer.status === 'rejected');
    if (failure && found.length === 0) throw failure.reason;
    const why = 'the name leads to an address that is not public';
    throw new ProblemError('url_refused', allowed ? `${why}; ${wouldOpen(allowed)}` : why);
  }

  const asked = callbackify(takenOnes);
  return (name, { family = 0, all = false }, callback) => {
    asked(name, family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family, (error, addresses) => {
      if (error) return callback(error, []);
      return all ? callback(null, addresses) : callback(null, addresses[0].address, addresses[0].family);
    });
  };
}
