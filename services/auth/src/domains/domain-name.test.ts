import { describe, expect, test } from '@jest/globals';
import { domainName } from './domain-name.ts';

describe('the name of a domain', () => {
  test.each([
    ['acme.example', 'acme.example'],
    ['mail.acme.co.uk', 'mail.acme.co.uk'],
    ['ACME.Example', 'acme.example'],
    [' acme.example. ', 'acme.example'],
    ['b\u00fccher.example', 'xn--bcher-kva.example'],
    ['B\u00dcCHER.example', 'xn--bcher-kva.example'],
    ['bu\u0308cher.example', 'xn--bcher-kva.example'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444', 'xn--e1afmkfd.xn--p1ai'],
    ['acme\u3002example', 'acme.example'],
    ['1und1.example', '1und1.example'],
  ])('%s is %s', (text, name) => {
    expect(domainName(text)).toEqual({ name });
  });

  test('that looks like another one is another one', () => {
    expect(domainName('\u0430cme.example')).toEqual({ name: 'xn--cme-5cd.example' });
    expect(domainName('acme.example')).not.toEqual(domainName('\u0430cme.example'));
  });

  test.each([
    'co.uk',
    'CO.UK',
    'github.io',
    'com',
    'example',
    'xn--p1ai',
    '',
    '.',
    'acme..example',
    '.acme.example',
    '-acme.example',
    'acme-.example',
    '_acme.example',
    '*.acme.example',
    'acme.example/path',
    'acme.example:53',
    'ada@acme.example',
    'ac me.example',
    'ac%6de.example',
    'acme.example\u0000',
    '192.0.2.1',
    '127.1',
    '0x7f.1',
    '\uff11\uff12\uff17.0.0.1',
    '2001:db8::1',
    '[2001:db8::1]',
    'acme\uff0fevil.example',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(120)}example`,
  ])('%s can not be claimed', text => {
    expect(domainName(text)).toEqual({ refused: expect.any(String) });
  });

  test('leaves room for the label of its record', () => {
    const longest = `${'a'.repeat(44)}.${`${'a'.repeat(61)}.`.repeat(2)}${'a'.repeat(59)}.example`;
    expect(longest).toHaveLength(236);
    expect(domainName(longest)).toEqual({ name: longest });
    expect(domainName(`a${longest}`)).toEqual({ refused: 'is longer than 236 characters' });
  });
});
