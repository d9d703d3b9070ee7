import { expect, test } from '@jest/globals';
import { type Bot, isAllowedServiceUrl } from './bot.ts';

const at = (...allowedServiceUrls: string[]) => ({ allowedServiceUrls }) as unknown as Bot;

test('a channel is known by the beginning of its URL, at the same host', () => {
  const bot = at('https://smba.example/emea', 'http://localhost:3000/');
  for (const url of [
    'https://smba.example/emea',
    'https://smba.example/emea/',
    'https://SMBA.example/emea/v3?x',
    'http://localhost:3000/x',
  ])
    expect([url, isAllowedServiceUrl(bot, url)]).toEqual([url, true]);
  for (const url of [
    'https://smba.example/emea2',
    'https://smba.example/emea/../amer',
    'https://smba.example.evil.example/emea',
    'https://smba.example@evil.example/emea',
    'https://user@smba.example/emea',
    'http://smba.example/emea',
    'http://localhost:30000/',
    'no url',
    '',
    undefined,
  ])
    expect([url, isAllowedServiceUrl(bot, url)]).toEqual([url, false]);
});

test('a bot that names no channels is at any', () => {
  expect(isAllowedServiceUrl(at(), undefined)).toBe(true);
  expect(isAllowedServiceUrl(at(), 'https://anything.example')).toBe(true);
});
