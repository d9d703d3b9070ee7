// Pages: plain HTML that works without JavaScript. Interpolated values are escaped unless they are `html` themselves.
import { createHash } from 'node:crypto';

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Part[] | null | undefined;

function render(part: Part): string {
  if (part === null || part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(render).join('');
  return String(part).replace(/[&<>"']/g, character => escapes[character] ?? character);
}

export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.map((text, index) => text + (index < parts.length ? render(parts[index]) : '')).join(''));
}

const style = `
:root{color-scheme:light dark;--line:#8886;--accent:#2456c6}
*{box-sizing:border-box}
body{margin:0;font:1rem/1.5 system-ui,sans-serif;display:grid;min-height:100vh;place-items:center;padding:1rem}
main{width:100%;max-width:32rem;border:1px solid var(--line);border-radius:.75rem;padding:1.5rem;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:0 0 .75rem}h2{font-size:1rem;margin:1.25rem 0 .25rem}
ul,dl{margin:.25rem 0;padding-left:1.25rem}dt{font-weight:600}dd{margin:0 0 .5rem}
fieldset{min-width:0;margin:1rem 0;border:1px solid var(--line);border-radius:.4rem}
label{display:block;margin:.75rem 0 .25rem}input[type=text],input[type=email],input[type=password]{width:100%;padding:.5rem;font:inherit}
button{font:inherit;padding:.55rem 1rem;margin:1rem .5rem 0 0;border-radius:.4rem;border:1px solid var(--line);cursor:pointer}
button.primary{background:var(--accent);color:#fff;border-color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.error{border-left:.25rem solid #c33;padding-left:.75rem}.muted{opacity:.75;font-size:.9rem}`;

const styleHash = `'sha256-${createHash('sha256').update(style).digest('base64')}'`;

/**
 * The policy of our pages. Browsers apply `form-action` to where a form's answer redirects as well, so a page whose
 * form ends at another origin lists that origin, or `anywhere` where it cannot be known (an identity provider, an
 * application's callback).
 */
export function contentSecurityPolicy(formAction: readonly string[] | 'anywhere' = []): string {
  const action = formAction === 'anywhere' ? '' : ` form-action ${["'self'", ...formAction].join(' ')};`;
  return `default-src 'none'; script-src 'self'; style-src ${styleHash};${action} frame-ancestors 'none'; base-uri 'none'`;
}

/**
 * A whole document. The style is inline and allowed by its hash (`styleHash`), so that the policy needs no
 * `unsafe-inline`.
 */
export function page(title: string, content: Html): string {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Reeve</title><style>${new Html(style)}</style></head>
<body><main><h1>${title}</h1>${content}</main></body></html>`.text;
}
