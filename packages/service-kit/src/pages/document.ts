// A page as a whole document, and the policy that goes out with it. Plain HTML that works without JavaScript.
import { Html, html } from './html.ts';
import { directions, type Language } from './language.ts';
import { style, styleHash } from './style.ts';

/** What a page says. */
export type Words = { title: string; content: Html };

/** A tenant, as its people know it. */
export type Brand = { displayName: string; logoUrl: string | null };

type Frame = { language: Language; brand: Brand | null; productName: string };

/** What the product is called where neither it nor a tenant has a name. */
const unnamed = 'Reeve';

/**
 * The policy of our pages. Browsers apply `form-action` to where a form's answer redirects as well, so a page whose
 * form ends at another origin lists that origin, or `anywhere` where it cannot be known (an identity provider, an
 * application's callback). Of images there is one at most: a tenant's logo, by its address, which is an origin and a
 * path that a policy can hold (branding.ts of auth).
 */
export function contentSecurityPolicy({
  formAction = [],
  image = null,
  frameAncestors = [],
}: {
  formAction?: readonly string[] | 'anywhere' | undefined;
  image?: string | null;
  /** Origins whose pages may show it inside themselves. */
  frameAncestors?: readonly string[];
} = {}): string {
  const action = formAction === 'anywhere' ? '' : ` form-action ${["'self'", ...formAction].join(' ')};`;
  const images = image === null ? '' : ` img-src ${new URL(image).origin};`;
  const ancestors = frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' ');
  return `default-src 'none'; script-src 'self'; style-src ${styleHash};${images}${action} frame-ancestors ${ancestors}; base-uri 'none'`;
}

/**
 * The style is inline and allowed by its hash (`styleHash`), so that the policy needs no `unsafe-inline`. `bdi` keeps
 * the direction of a name to itself.
 */
export function documentOf({ title, content }: Words, { language, brand, productName }: Frame): string {
  const names = [brand?.displayName, productName].filter(name => name !== undefined && name !== '');
  const shown = names.length > 0 ? names : [unnamed];
  return html`<!doctype html>
<html lang="${language}" dir="${directions[language]}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${[title, ...shown].join(' · ')}</title><style>${new Html(style)}</style></head>
<body><header>${headerOf(brand, productName)}</header><main><h1>${title}</h1>${content}</main></body></html>`.text;
}

function headerOf(brand: Brand | null, productName: string): Html {
  if (brand === null) return html`<span>${productName === '' ? unnamed : productName}</span>`;
  const { displayName, logoUrl } = brand;
  const name = html`<bdi>${displayName}</bdi>`;
  const product = productName === '' ? null : html`<span class="product">${productName}</span>`;
  // The name is beside the logo for those who see it, and is read out once.
  return logoUrl === null
    ? html`${name}${product}`
    : html`<img src="${logoUrl}" alt="${displayName}" height="40" referrerpolicy="no-referrer"><span aria-hidden="true">${name}</span>${product}`;
}
