import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { type Cookies, createCookies } from './cookies.ts';
import { newSecret } from './records.ts';

const secret = newSecret();
let cookies: Cookies;
const app = express()
  .get('/set', (_, response) => {
    cookies.session.set(response, secret);
    cookies.signIn.set(response, secret);
    response.end();
  })
  .get('/read', (request, response) => void response.json(cookies.session.read(request)));
const server = createServer(app);
let url: string;

beforeAll(async () => {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const read = async (cookie: string) => (await fetch(`${url}/read`, { headers: { cookie } })).json();

describe('a cookie of a browser session', () => {
  test('belongs behind TLS to this host alone, and to no script', async () => {
    cookies = createCookies('pages', 'https://pages.example');
    const set = (await fetch(`${url}/set`)).headers.getSetCookie();
    expect(set.map(one => one.split('=')[0])).toEqual(['__Host-pages', '__Host-pages_sign_in']);
    for (const one of set) {
      expect(one).toMatch(/; Path=\/; /);
      expect(one).toMatch(/; HttpOnly; Secure; SameSite=Lax$/);
      expect(one).not.toMatch(/domain/i);
    }
    expect(await read(`__Host-pages=${secret}`)).toBe(secret);
    // What any page without TLS on this host could have set.
    expect(await read(`pages=${secret}`)).toBeNull();
  });

  test('works without TLS on this machine, under another name', async () => {
    cookies = createCookies('pages', 'http://localhost:4003');
    const set = (await fetch(`${url}/set`)).headers.getSetCookie();
    expect(set[0]).toMatch(new RegExp(`^pages=${secret}; Max-Age=3600; .*HttpOnly; SameSite=Lax$`));
  });

  test.each([
    ['none', ''],
    ['an empty one', 'pages='],
    ['one that is too long', `pages=${secret}a`],
    ['one that holds other characters', `pages=${secret.slice(1)}.`],
    ['one that names the prototype', 'pages=__proto__; __proto__=x'],
  ])('is not read from %s', async (_, cookie) => {
    cookies = createCookies('pages', 'http://localhost:4003');
    expect(await read(cookie)).toBeNull();
  });
});
