import { describe, expect, test } from '@jest/globals';
import type { Request, Response } from 'express';
import { createSeal } from '../seal.ts';
import { createStarts } from './starts.ts';

function browserAt(issuer: string) {
  let now = 0;
  let cookie: string | undefined;
  const set: string[] = [];
  const response = { append: (_: string, text: string) => void set.push(text) } as unknown as Response;
  const starts = createStarts({ issuer, seal: createSeal(['key'], 'starts'), now: () => now });
  return {
    set,
    begins(isSecond = false) {
      const came = starts.count({ headers: { cookie } } as Request, response, { isSecond });
      cookie = set.at(-1)?.split(';')[0];
      return came;
    },
    waits: (ms: number) => void (now += ms),
  };
}

describe('how often a browser has begun', () => {
  test('is known from the second time that it comes on, in a cookie of the page that it is framed in', () => {
    const browser = browserAt('https://id.example');
    expect([browser.begins(), browser.begins(true)]).toEqual([false, true]);
    for (const set of browser.set)
      expect(set).toMatch(
        /^__Host-reeve_embed=[^;]+; Max-Age=60; Path=\/; HttpOnly; Secure; SameSite=None; Partitioned$/,
      );
  });

  test('is too often after the sixth time in a minute, and not when it goes slower', () => {
    const [fast, slow] = [browserAt('http://localhost:1'), browserAt('http://localhost:1')];
    for (const one of [fast, slow]) one.begins();
    for (let count = 0; count < 6; count += 1) expect(fast.begins()).toBe(true);
    expect(() => fast.begins()).toThrow(expect.objectContaining({ code: 'redirect_loop' }));
    for (let count = 0; count < 20; count += 1) {
      slow.waits(15_000);
      expect(slow.begins()).toBe(true);
    }
  });

  test('is not known of a browser that keeps nothing', () => {
    const browser = browserAt('https://id.example');
    expect(() => browser.begins(true)).toThrow(expect.objectContaining({ code: 'cookies_blocked' }));
  });
});
