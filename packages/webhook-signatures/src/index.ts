// The public face of @reeve/webhook-signatures.
export {
  newStandardSecret,
  type SignedHeaders,
  signStandard,
  type Verdict,
  type VerifyInput,
  verifyStandard,
} from './standard-webhooks.ts';
