import type { Check } from './outside.ts';

export const services = ['auth', 'provisioning', 'connector-consent', 'webhook-ingress', 'audit'] as const;
export type Name = (typeof services)[number];

export type Finding = Check & { service: Name; from: 'outside' | 'inside' };

export type Installation = {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** What the services are asked to reach. */
  reach: string | undefined;
  urls: { service: Name; url: string | undefined }[];
};
