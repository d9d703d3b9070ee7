// Settings that several kinds have.
import { z } from 'zod';

export const url = z.url({ protocol: /^https?$/ }).max(1_000);

export const ca = z
  .string()
  .max(20_000)
  .optional()
  .describe('PEM of the authority that signed its certificate, where that is not a public one');
