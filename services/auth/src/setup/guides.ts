import type { Guide } from './guide.ts';
import { oidcGuides } from './guides-oidc.ts';
import { samlGuides } from './guides-saml.ts';

export const guides: readonly Guide[] = [...oidcGuides, ...samlGuides];
