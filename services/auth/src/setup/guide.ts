// A guide for setting up a connection at an identity provider, as a value: docs/setup follows from it, and its sample
// is checked against what the API takes.
import type { SignInCause } from '@reeve/contracts';

/** What of a connection goes to the provider, by the names that the API gives it. */
export type OurValue = 'redirectUri' | 'spEntityId' | 'spMetadataUrl' | 'spCertificates' | 'jwksUri' | 'logoutUrl';

export type Guide = {
  /** Of its file: `entra-oidc`. */
  id: string;
  vendor: string;
  protocol: 'OpenID Connect' | 'SAML';
  /** In the vendor's own words, in order. */
  steps: readonly string[];
  /** The vendor's field, and what goes there. */
  fields: readonly (readonly [field: string, value: OurValue])[];
  /** What is copied from there, and where it goes in the sample. */
  copied: readonly (readonly [theirs: string, ours: string])[];
  /** The body of `POST …/sso-connections`; what stands in angle brackets is to be replaced. */
  sample: object;
  /** What goes wrong most often, by its cause. */
  pitfalls: readonly (readonly [SignInCause, string])[];
};
