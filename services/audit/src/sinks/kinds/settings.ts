// Settings that several kinds have.
import { type FormatName, formats } from '@reeve/audit-log';
import { z } from 'zod';

export const url = z.url({ protocol: /^https?$/ }).max(1_000);

export const formatName = z.enum(Object.keys(formats) as [FormatName, ...FormatName[]]);

export const ca = z
  .string()
  .max(20_000)
  .optional()
  .describe('PEM of the authority that signed its certificate, where that is not a public one');
