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
  insufficient_user_authentication: [
    401,
    'The person has to sign in more surely, or once more',
    'Send the person to the issuer with `acr_values` and `max_age` of WWW-Authenticate (RFC 9470; docs/step-up.md).',
  ],
  dpop_proof_invalid: [
    401,
    'The proof of possession is not valid here',
    'The token is bound to a key: send it as `Authorization: DPoP`, with a new proof for each request (RFC 9449).',
  ],
  access_denied: [
    403,
    'This token may not do that',
    'Ask for a token with the scope that the operation states in /openapi.json.',
  ],
  not_found: [404, 'There is nothing here for you', 'Check the id and that your token is for its tenant.'],
  method_not_allowed: [405, 'That method is not offered here', 'See /openapi.json for what this path offers.'],
  not_acceptable: [
    406,
    'There is nothing here in a form that you accept',
    'Send an Accept with the type that is offered.',
  ],
  status_history_not_offered: [
    501,
    'What was revoked at another time is not kept',
    'Ask without `time`: the answer is what is revoked now.',
  ],
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
  key_service_unavailable: [
    503,
    'What holds the keys of the vault does not answer as it should',
    'Wait for the seconds in Retry-After and send it again. Operators: docs/keys.md#when-the-key-service-is-away.',
  ],
  key_service_denied: [
    503,
    'What holds the keys of the vault refuses Reeve',
    'Operators: docs/keys.md#when-the-key-service-is-away. The reason is in the log of the service.',
  ],
  key_unusable: [
    503,
    'A key of the vault is disabled, or that version of it is gone',
    'Operators: docs/keys.md#when-a-key-is-gone. The reason is in the log of the service.',
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
  user_identifier_taken: [
    409,
    'A user with this identifier exists in the tenant',
    'Use the existing user, or correct the identifier that one of the two has.',
  ],
  group_name_taken: [409, 'A group of that name exists in the tenant', 'Use that group, or another name.'],
  group_limit_reached: [
    409,
    'The user is in a hundred groups, which is the most',
    'Take the user out of another group first.',
  ],
  user_deactivated: [403, 'This user is deactivated', 'Ask an administrator of the tenant to reactivate the user.'],
  identity_conflict: [
    409,
    'This identity can not be linked safely',
    'The person signs in as before and links it, or an administrator does (docs/sign-in.md, “Linking”).',
  ],
  link_needs_sign_in: [
    403,
    'Only somebody who has just signed in links another identity',
    'Sign in as usual, and link it within fifteen minutes.',
  ],
  link_declined: [403, 'The person did not want to link it', 'Nothing was changed.'],
  identity_taken: [
    409,
    'This identity is linked already, or the user has another one of that connection',
    'Unlink that one first, if it is the right thing to do.',
  ],
  identity_unknown: [
    403,
    'Nobody in this tenant has this identity',
    'Ask an administrator to add you, or to turn on just-in-time provisioning.',
  ],

  connection_incomplete: [
    409,
    'The connection says nothing of its identity provider yet',
    'Set what the provider gives you by PATCH, then activate it.',
  ],
  connection_not_active: [409, 'This SSO connection is not active', 'Activate it first.'],
  assertion_issuer_taken: [
    409,
    'Another connection of the tenant vouches towards assistants as that issuer',
    'Delete what is said of that connection (`identity-assertions`), or tell the two apart by `tenantClaim`.',
  ],
  assistant_policy_exists: [
    409,
    'That application may already act at that API by the word of that connection',
    'Change the policy that is there.',
  ],
  assistant_policy_limit: [
    409,
    'The tenant has as many policies for assistants as may be',
    'Delete one that is not used any more.',
  ],
  vouching_policy_exists: [
    409,
    'The tenant has said already what Reeve vouches for towards that authorization server for that application',
    'Change the policy that is there.',
  ],
  vouching_policy_limit: [
    409,
    'The tenant has as many policies for vouching as may be',
    'Delete one that is not used any more.',
  ],
  auth_key_taken: [409, 'The tenant has this auth_key, for something else', 'Change that one, or choose another name.'],
  auth_key_default: [
    409,
    'The first auth_key of a tenant is `default`, and it is the last to go',
    'Create `default` first; delete the others before it.',
  ],
  setup_link_over: [404, 'The set-up link is not valid, or not any more', 'Ask whoever sent it for a new one.'],
  connection_in_use: [
    409,
    'People sign in by this connection, and the link does not change it any more',
    'Ask whoever sent the link to change it, or for a link that changes a connection in use (`changesInUse`).',
  ],
  setup_link_limit: [409, 'The tenant has as many set-up links as may be', 'Revoke one that is not needed any more.'],
  connection_untested: [
    409,
    'No test sign-in has passed with the settings as they are now',
    'Test the connection, then activate it.',
  ],
  connection_limit: [409, 'The tenant has as many SSO connections as may be', 'Delete one that is not used any more.'],
  domain_limit: [409, 'The tenant has claimed as many domains as may be', 'Release one that is not used any more.'],
  auth_key_limit: [409, 'The tenant has as many auth_keys as may be', 'Delete one that is not used any more.'],
  domain_enforced: [
    403,
    'People with this address sign in another way',
    'Start again with your e-mail address: it leads to the sign-in of your organization.',
  ],
  domain_unverified: [
    403,
    'Nobody has verified that this domain is yours',
    'Claim it at `domains`, put its record into the DNS and verify it; then send this again.',
  ],
  domain_taken: [
    409,
    'This domain is spoken for already',
    'Take it away from the other SSO connection of the tenant first, or have its holder release it.',
  ],
  domain_claimed: [
    409,
    'The tenant has claimed this domain already',
    'Find it in the list of domains; its record stays the same.',
  ],
  connection_unreachable: [
    422,
    "The identity provider's discovery document could not be used",
    'Check the issuer; the detail says what was wrong.',
  ],
  metadata_invalid: [
    422,
    "The identity provider's SAML metadata could not be used",
    'Export it again at the identity provider; the detail says what was wrong.',
  ],
  metadata_moved: [
    422,
    'The metadata names another identity provider, or other hosts, than were accepted',
    'Ask whoever runs the identity provider; set `saml.metadataUrl` again to accept what it names now.',
  ],
  connection_unsupported: [
    409,
    'This SSO connection has nothing of that kind',
    'The detail says what it would have to have.',
  ],
  key_rotation_state: [
    409,
    'The keys of this SSO connection are at another step',
    'Publish, use, finish, in this order; the detail says which comes next.',
  ],
  rollback_needs_secret: [
    409,
    'The secret of this SSO connection was given for another identity provider',
    'Change the connection instead, naming the issuer with its secret.',
  ],
  revision_unknown: [
    404,
    'There is no such revision of this SSO connection any more',
    'List its `revisions`: the last twenty are kept.',
  ],
  url_refused: [422, 'That URL is not allowed', 'Use a public https URL.'],
  missing_auth_key: [
    400,
    'The page says no auth_key, and there is no default',
    'Pass `auth_key`, or make the key `default` (docs/embedded.md).',
  ],
  unknown_auth_key: [
    400,
    'There is no sign-in by that domain and auth_key',
    'Compare `domain` and `auth_key` with what the administrator has set, and whether embedding is enabled.',
  ],
  origin_not_allowed: [
    403,
    'Pages of that origin may not embed the assistant',
    'Add the origin of the page, exactly, to `origins` of the tenant’s `embed`.',
  ],
  redirect_uri_mismatch: [
    400,
    'The application does not name the redirect URI that embedding needs',
    'Register `{issuer}/embed/callback` as a redirect URI of the application.',
  ],
  redirect_loop: [
    400,
    'The page sends people to sign in again and again',
    'Have it begin once, or when the person asks; see docs/embedded.md.',
  ],
  cookies_blocked: [400, 'The browser keeps no cookies', 'Allow cookies for the sign-in and start again.'],
  sign_in_expired: [400, 'This sign-in took too long or was already used', 'Start again from the application.'],
  sign_in_failed: [
    400,
    'The sign-in could not be completed',
    'Start again; if it persists, give your administrator the reference.',
  ],

  sign_out_refused: [
    400,
    'The sign-out could not be completed',
    'Sign out at the application; what the identity provider said of it was not signed by it, or is too old.',
  ],

  subject_unknown: [
    404,
    'Nobody that you speak for is known by this subject identifier',
    'Send another identifier of the person (RFC 9493), or check that they have ever signed in by your connection.',
  ],

  signal_stream_exists: [
    409,
    'The application has a stream already',
    'Read it without `stream_id`, and change or delete that one.',
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
  bot_exists: [409, 'The tenant has a bot with that application', 'Change that one, or use another application.'],
  resource_server_exists: [
    409,
    'There is an API with this URL already',
    'Change the one that is there, or register another URL.',
  ],
  signing_key_waiting: [
    409,
    'A key is to follow already',
    'Wait until it signs, or say `compromised` where the one that signs is known to others.',
  ],
  mfa_factor_exists: [
    409,
    'The person has such a factor, or as many as may be',
    'Remove one that is not used any more, then enrol the new one.',
  ],
  mfa_factor_needed: [409, 'There is no factor that recovery codes could stand in for', 'Enrol another one first.'],
  mfa_code_refused: [422, 'The code is not right, or not any more', 'Send the code that the application shows now.'],
  secret_not_used: [
    409,
    'The application has no secret',
    'It proves which it is by `authentication`: a key of its own, or, of a public one, nothing.',
  ],
  secret_limit: [
    409,
    'As many secrets are in force as may be',
    'Wait until one has ended, or send `overlapSeconds` (`keepPreviousSeconds` of an application) 0 to end the others.',
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

/** What a person's sign-in would have to be (RFC 9470). */
export type AuthenticationNeeded = { acrValues: string | null; maxAgeSeconds: number | null };

type ProblemOptions = {
  cause?: unknown;
  errors?: FieldError[];
  retryAfterSeconds?: number;
  meaning?: string;
  needed?: AuthenticationNeeded;
};

/** A refusal with a stable code. The edge turns it into application/problem+json; nothing else of it is shown. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly errors: FieldError[] | undefined;
  readonly retryAfterSeconds: number | undefined;
  /** Which of several things it means to a person, where its code has several: their page says it. */
  readonly meaning: string | undefined;
  /** Of `insufficient_user_authentication`. */
  readonly needed: AuthenticationNeeded | undefined;

  constructor(code: ProblemCode, detail?: string, options: ProblemOptions = {}) {
    super(detail ?? problems[code][1], { cause: options.cause });
    this.name = 'ProblemError';
    this.code = code;
    this.errors = options.errors;
    this.retryAfterSeconds = options.retryAfterSeconds;
    this.meaning = options.meaning;
    this.needed = options.needed;
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
