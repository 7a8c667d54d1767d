const SECRET_NAME = /token|secret|passw|authorization|cookie|credential|api[-_]?key|private[-_]?key/i;
const CENSORED = '[redacted]';
const MAX_DEPTH = 6;

/** A copy of log fields that is safe to write: credentials censored at any depth, errors as code and messages. */
export function redact(fields: Record<string, unknown>): Record<string, unknown> {
  return plainFields(fields, 0);
}

function plainFields(fields: object, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    out[name] = SECRET_NAME.test(name) && holdsSomething(value) ? CENSORED : plain(value, depth);
  }
  return out;
}

/** An absent credential is worth knowing, and a number or a flag (`tokens: 3`) is not a credential. */
function holdsSomething(value: unknown): boolean {
  return (typeof value === 'string' && value !== '') || (typeof value === 'object' && value !== null);
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, depth);
  // Also what ends a structure that contains itself.
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  return plainFields(value, depth + 1);
}

/** One line per error: the stack trace of an operational error says nothing that its code and message do not. */
function describeError(error: Error, depth: number): Record<string, unknown> {
  const code: unknown = Reflect.get(error, 'code');
  return {
    ...(typeof code === 'string' ? { code } : {}),
    message: error.message,
    ...(error.cause === undefined || depth >= MAX_DEPTH ? {} : { cause: plain(error.cause, depth + 1) }),
  };
}
