import type { ErrorSource } from './errors.ts';

/** An answer that the proxy makes itself. */
export interface RefusalKind {
  status: number;
  /** Error type of RFC 9209 §2.3; undefined where none of them says it. */
  proxyError: string | undefined;
  source: ErrorSource;
  /** Whether the client may safely send the same request again. */
  retrySafe: boolean;
  /** What the client is told; nothing internal. */
  detail: string;
}

function refusal(
  status: number,
  proxyError: string | undefined,
  source: ErrorSource,
  retrySafe: boolean,
  detail: string,
): RefusalKind {
  return { status, proxyError, source, retrySafe, detail };
}

const unavailable = 'destination_unavailable';
const badRequest = 'http_request_error';

/** Every answer of the proxy's own, by its stable code (the `code` member of the problem, RFC 9457). */
export const refusals = {
  NO_ROUTE: refusal(404, 'destination_not_found', 'client', false, 'No service is configured for this address.'),
  NO_ENDPOINT: refusal(503, unavailable, 'upstream', true, 'The service has no running copy at the moment.'),
  HOLD_FULL: refusal(503, unavailable, 'internal', true, 'Too many requests are waiting for this service.'),
  HOLD_BYTES: refusal(503, unavailable, 'internal', true, 'Too much data is waiting for this service.'),
  HOLD_CLIENT: refusal(503, unavailable, 'client', true, 'Too many of your requests are waiting for this service.'),
  HOLD_DEADLINE: refusal(
    504,
    'connection_timeout',
    'client',
    true,
    'The service did not become available within the time that the request gives.',
  ),
  HOLD_TIMEOUT: refusal(504, 'connection_timeout', 'upstream', true, 'The service did not become available in time.'),
  START_FAILED: refusal(503, unavailable, 'upstream', true, 'The service could not be started.'),
  START_BLOCKED: refusal(503, unavailable, 'upstream', true, 'The service could not be started recently.'),
  WAKE_DENIED: refusal(503, undefined, 'internal', true, 'The service is asleep and this request does not wake it.'),
  DRAINING: refusal(503, unavailable, 'internal', true, 'The proxy is shutting down.'),
  DRAIN_OVER: refusal(503, unavailable, 'internal', false, 'What serves the request is being shut down.'),
  OUT_OF_RESOURCES: refusal(
    503,
    'connection_limit_reached',
    'internal',
    true,
    'The proxy has no room for another connection.',
  ),
  CONNECT_REFUSED: refusal(502, 'connection_refused', 'upstream', true, 'The service refused the connection.'),
  CONNECT_TIMEOUT: refusal(
    504,
    'connection_timeout',
    'upstream',
    true,
    'The service did not accept the connection in time.',
  ),
  UPSTREAM_RESET: refusal(
    502,
    'connection_terminated',
    'upstream',
    false,
    'The service closed the connection before it answered.',
  ),
  UPSTREAM_DECLINED: refusal(
    502,
    'connection_terminated',
    'upstream',
    true,
    'The service took no request on the connection, and did nothing about this one.',
  ),
  TLS_FAILED: refusal(502, 'tls_protocol_error', 'upstream', true, 'No secure connection to the service came about.'),
  UPGRADE_UNSUPPORTED: refusal(
    502,
    'http_upgrade_failed',
    'upstream',
    false,
    'The service takes no WebSockets on its connections.',
  ),
  FIRST_BYTE_TIMEOUT: refusal(504, 'http_response_timeout', 'upstream', false, 'The service did not answer in time.'),
  BAD_RESPONSE: refusal(
    502,
    'http_protocol_error',
    'upstream',
    false,
    'The service sent an answer that is not valid HTTP.',
  ),
  BAD_REQUEST: refusal(400, badRequest, 'client', false, 'The request is not valid HTTP.'),
  MISDIRECTED: refusal(421, badRequest, 'client', true, 'This connection is not for that host: open another one.'),
  TLS_REQUIRED: refusal(400, badRequest, 'client', false, 'This port speaks TLS: the address begins with https://.'),
  BAD_HOST: refusal(400, badRequest, 'client', false, 'The request needs exactly one valid Host.'),
  AMBIGUOUS_PATH: refusal(400, badRequest, 'client', false, 'The path can be read in more than one way.'),
  HEAD_TOO_LARGE: refusal(431, badRequest, 'client', false, 'The header section is too large.'),
  TARGET_TOO_LONG: refusal(414, badRequest, 'client', false, 'The request target is too long.'),
  HEAD_TIMEOUT: refusal(408, badRequest, 'client', true, 'The request did not arrive in time.'),
  BODY_TIMEOUT: refusal(408, badRequest, 'client', true, 'The request body did not arrive in time.'),
  BODY_TOO_LARGE: refusal(413, badRequest, 'client', false, 'The request body is too large.'),
  VERSION_UNKNOWN: refusal(505, badRequest, 'client', false, 'This HTTP version is not supported.'),
  CODING_UNKNOWN: refusal(501, badRequest, 'client', false, 'This transfer coding is not supported.'),
  METHOD_REFUSED: refusal(405, badRequest, 'client', false, 'This method is not allowed here.'),
  FORBIDDEN: refusal(403, 'http_request_denied', 'client', false, 'Your address is not allowed here.'),
  UNAUTHORIZED: refusal(401, undefined, 'client', false, 'A user name and a password are needed.'),
  AUTH_BUSY: refusal(503, undefined, 'internal', true, 'Too many passwords are being checked.'),
  RATE_LIMITED: refusal(429, undefined, 'client', true, 'You send too many requests.'),
  CONNECTION_LIMIT: refusal(503, 'connection_limit_reached', 'internal', true, 'The proxy has too many connections.'),
} as const satisfies Record<string, RefusalKind>;

export type RefusalCode = keyof typeof refusals;

/** The rule behind a refusal as the operator knows it, where the code alone does not name it. */
const rules: Partial<Record<RefusalCode, string>> = {
  AMBIGUOUS_PATH: 'ambiguous path',
  FORBIDDEN: 'allow',
  UNAUTHORIZED: 'basicAuth',
  AUTH_BUSY: 'basicAuth',
  RATE_LIMITED: 'rate',
  NO_ROUTE: 'no route',
  MISDIRECTED: 'on',
  HEAD_TOO_LARGE: 'limits.head',
  TARGET_TOO_LONG: 'limits.target',
  BODY_TOO_LARGE: 'maxBody',
  CONNECTION_LIMIT: 'limits.connectionsPerClient',
  HEAD_TIMEOUT: 'timeouts.head',
  BODY_TIMEOUT: 'timeouts.body',
  VERSION_UNKNOWN: 'HTTP version',
  METHOD_REFUSED: 'method',
  HOLD_FULL: 'hold.max',
  HOLD_BYTES: 'hold.maxBytes',
  HOLD_CLIENT: 'hold.perClient',
  HOLD_DEADLINE: 'grpc-timeout',
  HOLD_TIMEOUT: 'hold.timeout',
  WAKE_DENIED: 'wake',
  CONNECT_TIMEOUT: 'timeouts.connect',
  FIRST_BYTE_TIMEOUT: 'timeouts.firstByte',
};

/** What a refusal is by, for the access log. */
export function ruleOf(code: RefusalCode): string | undefined {
  return rules[code];
}
