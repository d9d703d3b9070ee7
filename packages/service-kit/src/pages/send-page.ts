import type { Response } from 'express';
import type { Page } from '../route.ts';
import { contentSecurityPolicy, documentOf } from './document.ts';
import { readerOf } from './reader.ts';

/** Where the application keeps what the product is called. */
export const productNameKey = 'productName';

/** As whoever gets this answer reads it; sets the policy that the page needs. Returns the document. */
export async function renderPage(response: Response, page: Page): Promise<string> {
  const { language, brand } = await readerOf(response);
  const words = 'words' in page ? page.words(language) : page;
  const { formAction, frameAncestors = [] } = page;
  const image = brand?.logoUrl ?? null;
  response.setHeader('Content-Security-Policy', contentSecurityPolicy({ formAction, image, frameAncestors }));
  // Which knows nothing of several, and would forbid what the policy allows.
  if (frameAncestors.length > 0) response.removeHeader('X-Frame-Options');
  const productName = String(response.app?.locals[productNameKey] ?? '');
  // Words that are the same for everybody are in English.
  return documentOf(words, { language: 'words' in page ? language : 'en', brand, productName });
}

export async function sendPage(response: Response, page: Page): Promise<void> {
  const document = await renderPage(response, page);
  response
    .status(page.status ?? 200)
    .type('html')
    .send(document);
}
