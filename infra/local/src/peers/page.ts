// The pages of the demo peers: plain HTML that fits a narrow window, a keyboard and a screen reader.
import type { ServerResponse } from 'node:http';

export const escaped = (text: string) => text.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);

const style = `:root{color-scheme:light dark}
*{box-sizing:border-box}
body{font:1rem/1.5 system-ui,sans-serif;max-width:28rem;margin:0 auto;padding:2rem 1rem;overflow-wrap:anywhere}
h1{font-size:1.5rem}
h2{font-size:1.1rem;margin-top:2rem}
label{display:block}
input{display:block;width:100%;padding:.5rem;margin:.25rem 0 1rem;font:inherit}
button{font:inherit;min-height:2.75rem;padding:.5rem 1.25rem}
[role=alert]{border-left:.25rem solid;padding-left:.75rem;font-weight:bold}`;

/** `body` is HTML. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
${body}
</main>
</body>
</html>
`;
}

export function send(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(html);
}

export const alert = (text: string) => `<p role="alert" id="problem">${escaped(text)}</p>`;
