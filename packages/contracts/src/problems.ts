// Every way a request can fail, in one table: the stable code, its status, and what the caller can do.
// docs/problems.md is generated from it; `ProblemError` accepts no code that is not here.
import { z } from 'zod';

export const problems = {
  body_malformed: [400, 'The body is not valid JSON', 'Send a JSON body with Content-Type: application/json.'],
  body_missing: [400, 'A body is required', 'Send a JSON body with Content-Type: application/json.'],
  input_invalid: [400, 'The request is not valid', 'Correct the fields named in `errors` and send it again.'],
  cursor_invalid: [400, 'The cursor does not belong to this list', 'Start again without `cursor`.'],
  idempotency_key_reused: [
    409,
    'This Idempotency-Key was used for another request',
    'Use a new key for a new request.',
  ],
  request_in_progress: [409, 'The first request with this Idempotency-Key is still running', 'Wait and send it again.'],
  token_missing: [401, 'An access token is required', 'Get one at the issuer and send it as `Authorization: Bearer`.'],
  token_invalid: [
    401,
    'The access token is not valid here',
    'Get a new token whose `resource` is the URL of this service.',
  ],
  access_denied: [
    403,
    'This token may not do that',
    'Ask for a token with the scope that the operation states in /openapi.json.',
  ],
  not_found: [404, 'There is nothing here for you', 'Check the id and that your token is for its tenant.'],
  method_not_allowed: [405, 'That method is not offered here', 'See /openapi.json for what this path offers.'],
  conflict: [409, 'Somebody else changed this at the same time', 'Read it again and repeat your change.'],
  precondition_unsupported: [
    400,
    'If-Match is not supported here',
    'Send it without; /openapi.json says which operations take it.',
  ],
  precondition_failed: [412, 'It has changed since you read it', 'Read it again, then send the new ETag as If-Match.'],
  body_too_large: [413, 'The body is too large', 'Send less; the limit is in the operation in /openapi.json.'],
  content_type_unsupported: [415, 'That content type is not accepted', 'Send application/json.'],
  rate_limited: [429, 'Too many requests', 'Wait for the seconds in Retry-After.'],
  internal: [
    500,
    'Something went wrong on our side',
    'Send it again; if it persists, quote the traceId to the operator.',
  ],
  dependency_unavailable: [
    503,
    'A part of Reeve that this needs does not answer',
    'Wait for the seconds in Retry-After and send it again.',
  ],

  scim_filter_invalid: [400, 'The SCIM filter can not be used', 'Filter by: userName eq "…".'],
  scim_uniqueness: [409, 'A user with this userName or address exists', 'Use the existing user, or another name.'],
  scim_not_offered: [501, 'This part of SCIM is not offered yet', 'See /openapi.json for what is.'],

  tenant_slug_taken: [409, 'That slug belongs to another tenant', 'Choose another slug.'],
  tenant_suspended: [403, 'This tenant is suspended', 'Ask the operator of the platform.'],
  user_email_taken: [
    409,
    'A user with this address exists in the tenant',
    'Use the existing user, or another address.',
  ],
  user_deactivated: [403, 'This user is deactivated', 'Ask an administrator of the tenant to reactivate the user.'],
  identity_conflict: [
    409,
    'This identity can not be linked safely',
    'An administrator has to link or rename the existing user with this address.',
  ],
  identity_unknown: [
    403,
    'Nobody in this tenant has this identity',
    'Ask an administrator to add you, or to turn on just-in-time provisioning.',
  ],

  connection_not_active: [409, 'This SSO connection is not active', 'Activate it first.'],
  domain_unverified: [
    403,
    'Nobody has verified that this domain is yours',
    'Leave `domains` as it is, and ask the operator of the platform to set it.',
  ],
  domain_taken: [
    409,
    'Another SSO connection of the tenant speaks for this domain',
    'Take the domain away from that connection first.',
  ],
  connection_unreachable: [
    422,
    "The identity provider's discovery document could not be used",
    'Check the issuer; the detail says what was wrong.',
  ],
  url_refused: [422, 'That URL is not allowed', 'Use a public https URL.'],
  sign_in_expired: [400, 'This sign-in took too long or was already used', 'Start again from the application.'],
  sign_in_failed: [
    400,
    'The sign-in could not be completed',
    'Start again; if it persists, give your administrator the reference.',
  ],

  connector_unknown: [404, 'No such connector in the catalogue', 'List /v1/connectors.'],
  scope_unknown: [422, 'The connector does not offer one of these scopes', "Choose from the connector's scopes."],
  installation_state: [
    409,
    'The installation is not in a state that allows this',
    'Read its `status`; the detail says what was expected.',
  ],
  consent_expired: [
    410,
    'This consent request, or this answer to it, is over',
    'Open its page again; where that is over too, start the installation again.',
  ],
  csrf_mismatch: [403, 'The form does not belong to this browser session', 'Load the page again.'],

  endpoint_unknown: [404, 'There is no such endpoint', 'Check the URL with the tenant that gave it to you.'],
  endpoint_disabled: [410, 'This endpoint is disabled', 'Ask the tenant that gave you the URL.'],
  endpoint_paused: [
    503,
    'This endpoint takes nothing at present',
    'Wait for the seconds in Retry-After and send it again.',
  ],
  secret_limit: [
    409,
    'As many secrets are in force as may be',
    'Wait until one has ended, or send `overlapSeconds` (`keepPreviousSeconds` of a client) 0 to end the others.',
  ],
  delivery_malformed: [
    400,
    'The delivery lacks what its scheme requires',
    'Send each header of the scheme exactly once.',
  ],
  delivery_unauthenticated: [
    401,
    'The delivery could not be authenticated',
    'Sign the exact bytes you send with the current secret and a current timestamp.',
  ],
  delivery_conflict: [409, 'This id was used before for another body', 'Use a new id for a new event.'],
  delivery_too_slow: [
    400,
    'The body did not arrive in time',
    'Send the whole body within the seconds that docs/partners.md gives.',
  ],
  delivery_encoded: [415, 'The body is compressed', 'Send the bytes that you signed, without Content-Encoding.'],
  delivery_type_refused: [
    415,
    'This endpoint does not take that content type',
    'Send one that the tenant has agreed to.',
  ],
  delivery_out_of_order: [
    422,
    'This endpoint demands order, and a later sequence was released already',
    'Do not send it again; tell the tenant which sequence it was.',
  ],
  delivery_state: [
    409,
    'The delivery is not in a state that allows this',
    'Read its `status`; the detail says what was expected.',
  ],
  ingress_busy: [503, 'Too much is waiting to be stored', 'Wait for the seconds in Retry-After and send it again.'],
  view_name_taken: [409, 'A saved view has this name', 'Choose another name, or change that view.'],
  sink_limit: [409, 'The tenant has as many sinks as it may have', 'Remove a sink that is not needed any more.'],
  sink_name_taken: [409, 'A sink has this name', 'Choose another name, or change that sink.'],
  deletion_request_state: [
    409,
    'The deletion request is not in a state that allows this',
    'Read its `status`; the detail says what it is.',
  ],
  person_required: [
    422,
    'A person who is signed in has to do this',
    'Use the access token of a user who administers the tenant, not that of a client.',
  ],
  second_person_required: [
    409,
    'Whoever asked for it can not confirm it',
    'Ask another person who administers the tenant to confirm.',
  ],
  evidence_package_state: [
    409,
    'The evidence package is not in a state that allows this',
    'Read its `status` until it is `ready`.',
  ],
} as const satisfies Record<string, readonly [status: number, title: string, help: string]>;

export type ProblemCode = keyof typeof problems;

export type FieldError = { field: string; message: string };

/** A refusal with a stable code. The edge turns it into application/problem+json; nothing else of it is shown. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly errors: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: ProblemCode,
    detail?: string,
    options: { cause?: unknown; errors?: FieldError[]; retryAfterSeconds?: number } = {},
  ) {
    super(detail ?? problems[code][1], { cause: options.cause });
    this.name = 'ProblemError';
    this.code = code;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }

  get status(): number {
    return problems[this.code][0];
  }
}

/** A refusal of one field of a request. */
export const invalidField = (field: string, message: string): ProblemError =>
  new ProblemError('input_invalid', undefined, { errors: [{ field, message }] });

export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  code: z.enum(Object.keys(problems) as [ProblemCode, ...ProblemCode[]]),
  detail: z.string(),
  traceId: z.string().nullable(),
  errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
});
