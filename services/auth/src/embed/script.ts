// The script that pages load. What was released stays as it is, at an address of its own, so that a page can name it by
// its hash (Subresource Integrity); `/embed/reeve.js` is the newest.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ProblemError } from '@reeve/contracts';
import { html, openRoute, type Route } from '@reeve/service-kit';
import type { Response } from 'express';
import { z } from 'zod';
import { embedCodes } from './codes.ts';

/** The newest first. */
const versions = ['1.0.0'] as const;

export const scriptOf = (version: string): Buffer =>
  readFileSync(new URL(`../../browser/reeve-${version}.js`, import.meta.url));

const integrityOf = (text: Buffer): string => `sha384-${createHash('sha384').update(text).digest('base64')}`;

export function embedScripts({ issuer }: { issuer: string }): Route[] {
  const scripts = new Map(versions.map(version => [version as string, scriptOf(version)]));
  const open = 'it is the same for everybody and holds nothing';
  const bytes = { method: 'get', open, answer: 'bytes', produces: ['text/javascript'] } as const;
  const send = (response: Response, version: string, seconds: number) => {
    const script = scripts.get(version);
    if (!script) throw new ProblemError('not_found');
    // For pages of any origin, also those that take only what says so (Cross-Origin-Embedder-Policy).
    response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
    response.setHeader('Access-Control-Allow-Origin', '*');
    response.setHeader('Cache-Control', `public, max-age=${seconds}${seconds > 3_600 ? ', immutable' : ''}`);
    response.type('text/javascript').send(script);
  };
  return [
    openRoute({
      ...bytes,
      path: '/embed/reeve.js',
      summary: 'The script by which a page embeds the assistant, the newest',
      handle: () => Promise.resolve({ stream: response => send(response, versions[0], 300) }),
    }),
    openRoute({
      ...bytes,
      path: '/embed/reeve/{version}/reeve.js',
      summary: 'The same, of one version, which never changes',
      handle: ({ params: { version } }) => Promise.resolve({ stream: response => send(response, version, 31_536_000) }),
    }),
    openRoute({
      method: 'get',
      path: '/embed/versions',
      summary: 'The versions of the script, the newest first, each with its address and integrity hash',
      open,
      answer: 'json',
      response: z.object({
        items: z.array(z.object({ version: z.string(), url: z.string(), integrity: z.string() })),
      }),
      handle: () =>
        Promise.resolve({
          body: {
            items: [...scripts].map(([version, text]) => ({
              version,
              url: `${issuer}/embed/reeve/${version}/reeve.js`,
              integrity: integrityOf(text),
            })),
          },
        }),
    }),
    openRoute({
      method: 'get',
      path: '/embed/help',
      summary: 'What each code means that the script tells of',
      open,
      answer: 'page',
      handle: () =>
        Promise.resolve({
          page: {
            title: 'Embedding: what went wrong',
            content: html`<dl>${Object.entries(embedCodes).map(([code, means]) => html`<dt id="${code}"><code>${code}</code></dt><dd>${means}</dd>`)}</dl>`,
          },
        }),
    }),
  ];
}
