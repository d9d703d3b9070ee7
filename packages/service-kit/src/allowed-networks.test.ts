import { describe, expect, test } from '@jest/globals';
import { allowedNetworksSchema, isAllowedInside, networksFor, type OutboundPurpose } from './allowed-networks.ts';

const opened = (text: string, purpose: OutboundPurpose = 'sinks') =>
  networksFor(allowedNetworksSchema.parse(text), purpose);
const isOpen = (text: string, address: string, name: string | null = null) =>
  isAllowedInside(address, name, opened(text));

describe('a network that is open', () => {
  test.each([
    ['10.20.0.0/16', '10.20.255.1', '10.21.0.1'],
    ['10.20.30.40', '10.20.30.40', '10.20.30.41'],
    ['192.168.7.9/24', '192.168.7.200', '192.168.8.1'],
    ['100.64.0.0/10', '100.127.0.1', '100.128.0.1'],
    ['fd12:3456::/32', 'fd12:3456:7::1', 'fd12:3457::1'],
    ['127.0.0.0/8', '127.3.2.1', '10.0.0.1'],
    ['10.0.0.0/8', '::ffff:10.1.2.3', 'fd00::1'],
  ])('%s reaches %s, and not %s', (text, within, outside) => {
    expect([isOpen(text, within), isOpen(text, outside)]).toEqual([true, false]);
  });

  test('is so for its purpose, or for all where it says none', () => {
    const text = 'sinks=10.1.0.0/16, identity_providers=10.2.0.0/16, 10.3.0.0/16';
    const reached = (purpose: OutboundPurpose) =>
      ['10.1.0.1', '10.2.0.1', '10.3.0.1'].filter(one => isAllowedInside(one, null, opened(text, purpose)));
    expect(reached('sinks')).toEqual(['10.1.0.1', '10.3.0.1']);
    expect(reached('identity_providers')).toEqual(['10.2.0.1', '10.3.0.1']);
    expect(reached('connectors')).toEqual(['10.3.0.1']);
    expect(opened('').subnets).toEqual([]);
  });

  test('is a host by its name, whatever private address that leads to, and no other name that leads there', () => {
    const text = 'sinks=SIEM.corp.example';
    expect(isOpen(text, '10.9.9.9', 'siem.corp.example')).toBe(true);
    expect(isOpen(text, '10.9.9.9', 'Siem.Corp.Example.')).toBe(true);
    for (const name of ['evil.example', 'siem.corp.example.evil.example', 'x.siem.corp.example', null])
      expect([name, isOpen(text, '10.9.9.9', name)]).toEqual([name, false]);
  });

  test.each([
    '169.254.169.254',
    'fe80::1',
    'fd00:ec2::254',
    '100.100.100.200',
    '0.0.0.0',
    '224.0.0.1',
    '::',
    'ff02::1',
    '255.255.255.255',
    'x',
  ])('never reaches %s, also not by the name of a host', address => {
    expect(isOpen('10.0.0.0/8,100.64.0.0/10,127.0.0.0/8,fc00::/7,host.example', address, 'host.example')).toBe(false);
    expect(isOpen('host.example', '10.0.0.1', 'host.example')).toBe(true);
  });
});

describe('what opens nothing is refused with the service', () => {
  test.each([
    ['0.0.0.0/0', 'not within a private network'],
    ['10.0.0.0/7', 'not within a private network'],
    ['172.16.0.0/11', 'not within a private network'],
    ['::/0', 'not within a private network'],
    ['169.254.0.0/16', 'not within a private network'],
    ['8.8.8.8', 'not within a private network'],
    ['fe80::/10', 'not within a private network'],
    ['10.0.0.0/33', 'neither a subnet'],
    ['10.0.0', 'neither a subnet'],
    ['localhost', 'neither a subnet'],
    ['*.corp.example', 'neither a subnet'],
    ['https://siem.corp.example', 'neither a subnet'],
    ['siem.corp.example:9200', 'neither a subnet'],
    ['audit=10.0.0.0/8', 'is no purpose'],
    ['=10.0.0.0/8', 'is no purpose'],
    ['sinks=', 'neither a subnet'],
    ['::ffff:10.0.0.0/104', 'not within a private network'],
    ['siem.localhost', 'neither a subnet'],
  ])('%s: %s', (text, why) => {
    const parsed = allowedNetworksSchema.safeParse(`10.0.0.0/8,${text}`);
    expect(parsed.error?.issues.map(({ message }) => message)).toEqual([expect.stringContaining(why)]);
  });
});
