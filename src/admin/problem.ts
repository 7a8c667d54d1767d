import type { ServerResponse } from 'node:http';
import { type ErrorCode, PilotlightError } from '../model/errors.ts';

/** An answer that says what is wrong, as RFC 9457 has it, with a stable `code`. */
export interface Problem {
  status: number;
  title: string;
  code: string;
  detail?: string;
  /** Further members. */
  more?: Record<string, unknown>;
  headers?: Record<string, string>;
}

const statusOf: Partial<Record<ErrorCode, { status: number; title: string }>> = {
  SERVICE_UNKNOWN: { status: 404, title: 'Unknown service' },
  ENDPOINT_UNKNOWN: { status: 404, title: 'Unknown endpoint' },
  HANDING_OVER: { status: 503, title: 'A new process takes over' },
  CANCELLED: { status: 503, title: 'The proxy is about to end' },
  REPLICA_NOT_READY: { status: 409, title: 'The replica starts, or is being stopped' },
  SCALE_OUT_OF_BOUNDS: { status: 422, title: 'Not a number of replicas that the service may have' },
  SERVICE_NOT_RUNNABLE: { status: 409, title: 'The service cannot be started or stopped' },
};

export const notFound: Problem = { status: 404, title: 'Not found', code: 'NOT_FOUND' };

/** RFC 9110 §15.5.6: names the methods that are allowed. */
export function methodNotAllowed(allowed: readonly string[]): Problem {
  return {
    status: 405,
    title: 'Method not allowed',
    code: 'METHOD_NOT_ALLOWED',
    headers: { Allow: allowed.join(', ') },
  };
}

/** What the caller is told of an error. What is not ours may hold anything, so its text stays in the log. */
export function problemOf(error: unknown): Problem {
  if (!(error instanceof PilotlightError)) return { status: 500, title: 'Internal error', code: 'INTERNAL' };
  const known = statusOf[error.code] ?? { status: 500, title: 'Internal error' };
  return { ...known, code: error.code, detail: error.message };
}

/** Sends a problem; does nothing where an answer is under way already. */
export function sendProblem(response: ServerResponse, { headers, more, ...problem }: Problem): void {
  if (response.headersSent) return;
  const body = JSON.stringify({ type: 'about:blank', ...problem, ...more });
  response.writeHead(problem.status, {
    ...headers,
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}
