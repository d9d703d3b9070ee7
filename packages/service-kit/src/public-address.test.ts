import { describe, expect, test } from '@jest/globals';
import { isPublicAddress } from './public-address.ts';

/** Each form of writing an IPv4 address into an IPv6 address that has a prefix of its own, or had one. */
const embedded: [form: string, around: (ipv4: string) => string][] = [
  ['IPv4-mapped (::ffff:0:0/96)', ipv4 => `::ffff:${ipv4}`],
  ['IPv4-mapped in hexadecimal', ipv4 => `::ffff:${hexadecimal(ipv4)}`],
  ['translated (64:ff9b::/96)', ipv4 => `64:ff9b::${ipv4}`],
  ['IPv4-compatible (::/96)', ipv4 => `::${ipv4}`],
  ['IPv4-compatible in hexadecimal', ipv4 => `::${hexadecimal(ipv4)}`],
  ['translated by SIIT (::ffff:0:0:0/96)', ipv4 => `::ffff:0:${ipv4}`],
  ['translated locally (64:ff9b:1::/48)', ipv4 => `64:ff9b:1::${ipv4}`],
  ['6to4 (2002::/16)', ipv4 => `2002:${hexadecimal(ipv4)}::1`],
  ['the server of Teredo (2001::/32)', ipv4 => `2001:0:${hexadecimal(ipv4)}::f7f7:f7f7`],
  ['the client of Teredo, inverted', ipv4 => `2001:0:808:808::${hexadecimal(inverted(ipv4))}`],
  ['ISATAP on a link', ipv4 => `fe80::5efe:${ipv4}`],
];

const octets = (ipv4: string) => ipv4.split('.').map(Number);
const inverted = (ipv4: string) =>
  octets(ipv4)
    .map(octet => 255 - octet)
    .join('.');
function hexadecimal(ipv4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = octets(ipv4);
  return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
}

const inside = ['127.0.0.1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'];

describe('an address is public', () => {
  test.each(['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.63.255.255', '100.128.0.1', '223.255.255.255'])(
    'for %s, which anybody reaches',
    address => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each(['2606:4700::1111', '2001:4860:4860::8888', '2a00:1450:4001::1', '2003::1', '2001:200::1', '3ffe::1'])(
    'for %s, which anybody reaches',
    address => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  test.each(['::ffff:8.8.8.8', '::ffff:808:808', '64:ff9b::8.8.8.8', '64:ff9b::808:808'])(
    'for %s, which leads to 8.8.8.8',
    address => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('an address is not public', () => {
  test.each(embedded)('when it is %s around one that is inside', (_, around) => {
    expect(inside.map(ipv4 => [around(ipv4), isPublicAddress(around(ipv4))])).toEqual(
      inside.map(ipv4 => [around(ipv4), false]),
    );
  });

  test.each([
    ['this network', '0.0.0.0'],
    ['a carrier’s own', '100.64.0.1'],
    ['a protocol’s', '192.0.0.8'],
    ['documentation', '192.0.2.1'],
    ['documentation', '198.51.100.1'],
    ['documentation', '203.0.113.1'],
    ['a 6to4 relay', '192.88.99.1'],
    ['benchmarks', '198.18.0.1'],
    ['a group', '224.0.0.1'],
    ['reserved', '240.0.0.1'],
    ['everybody on the link', '255.255.255.255'],
    ['unspecified', '::'],
    ['this machine', '::1'],
    ['a link', 'fe80::1'],
    ['a link, by its name', 'fe80::1%eth0'],
    ['a site, as once was', 'fec0::1'],
    ['a network’s own', 'fc00::1'],
    ['a network’s own', 'fdff::1'],
    ['thrown away', '100::1'],
    ['documentation', '2001:db8::1'],
    ['documentation', '3fff::1'],
    ['benchmarks', '2001:2::1'],
    ['multicast by relay', '2001:3::1'],
    ['hashes', '2001:10::1'],
    ['hashes', '2001:20::1'],
    ['drones', '2001:30::1'],
    ['segment routing', '5f00::1'],
    ['a group', 'ff02::1'],
    ['given to nobody', '4000::1'],
    ['given to nobody', '1::1'],
    ['no address', 'nonsense'],
    ['no address', ''],
  ])('when it is of %s: %s', (_, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });
});
