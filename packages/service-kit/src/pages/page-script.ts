// A script of a service’s pages, at an address of its own: their policy allows nothing inline.
import { openRoute } from '../route.ts';

export const pageScript = ({ path, summary, script }: { path: `/${string}`; summary: string; script: string }) =>
  openRoute({
    method: 'get',
    path,
    summary,
    open: 'it is the same for everybody and holds nothing',
    answer: 'bytes',
    produces: ['text/javascript'],
    handle: () =>
      Promise.resolve({
        stream: response =>
          void response.type('text/javascript').set('Cache-Control', 'public, max-age=300').send(script),
      }),
  });
