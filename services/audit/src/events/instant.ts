import { z } from 'zod';

/** A moment in a query, in any offset; compared as the UTC text that records hold. */
export const instant = z.iso
  .datetime({ offset: true, message: 'must be an RFC 3339 date and time' })
  .transform(text => new Date(text).toISOString());
