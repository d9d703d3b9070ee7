import { expect, test } from '@jest/globals';
import { networkOf } from './network-of.ts';

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::1', '2001:db8:1:2::/64'],
  ['2001:0db8:0001:0002:ffff::', '2001:db8:1:2::/64'],
  ['2001:db8::1', '2001:db8::/64'],
  ['::1', '::/64'],
  ['fe80::1%eth0', 'fe80::/64'],
])('%s is of %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('of IPv4 it is the network of so many bits, where that is asked for', () => {
  expect(networkOf('192.0.2.77', { ipv4Bits: 24 })).toBe('192.0.2.0/24');
  expect(networkOf('::ffff:192.0.2.77', { ipv4Bits: 24 })).toBe('192.0.2.0/24');
  expect(networkOf('2001:db8::1', { ipv4Bits: 24 })).toBe('2001:db8::/64');
});
