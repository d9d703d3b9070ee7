import { type FormatName, formats } from '@reeve/audit-log';
import { z } from 'zod';

/** What callers may ask for lines of the log in. */
export const formatName = z.enum(Object.keys(formats) as [FormatName, ...FormatName[]]);
