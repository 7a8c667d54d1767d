import { PilotlightError } from '../model/errors.ts';
import { refusals } from '../model/refusals.ts';
import type { AdminTarget } from './admin-target.ts';

/** What Node and the system call it, and what it is for people. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'it closed the connection',
  ENOTFOUND: 'its host is not known',
  EAI_AGAIN: 'its host is not known',
  EHOSTUNREACH: 'there is no way to its host',
  ENETUNREACH: 'there is no way to its host',
  ETIMEDOUT: 'no answer in time',
  EPROTO: 'it speaks no TLS there: write http://',
};

/** Nothing answers, or not as the admin API does. */
export function unreachable(url: string, error: unknown, why = reasonOf(error)): PilotlightError {
  const message = `no Pilotlight answers at ${url} (${why}): start it, or name it with --admin URL`;
  return new PilotlightError('ADMIN_UNREACHABLE', message, error);
}

function reasonOf(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string') return 'the connection failed';
  return code.startsWith('HPE_') ? 'what is there speaks no HTTP' : (REASONS[code] ?? code);
}

/** Something answers, and not what was asked for. */
export function refusal({ url, token, tokenFrom }: AdminTarget, status: number, body: unknown): PilotlightError {
  const { code, detail, title } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  if (typeof code !== 'string') {
    return new PilotlightError('ADMIN_REFUSED', `what answers at ${url} is not Pilotlight's admin API (${status})`);
  }
  if (code === 'UNAUTHORIZED') {
    const message =
      token === undefined
        ? `the admin API at ${url} wants its token: give it with --token or PILOTLIGHT_ADMIN_TOKEN`
        : `the admin API at ${url} refuses the token, which is from ${tokenFrom}: it has another one`;
    return new PilotlightError('ADMIN_REFUSED', message);
  }
  if (code === 'NOT_FOUND' || code === 'METHOD_NOT_ALLOWED') {
    const message = `the Pilotlight at ${url} does not know this command: it is older than this program, upgrade it`;
    return new PilotlightError('ADMIN_REFUSED', message);
  }
  // The admin API itself refuses a body that is too large.
  if (Object.hasOwn(refusals, code) && code !== 'BODY_TOO_LARGE') {
    const message = `at ${url} Pilotlight takes requests for services (it answered ${code}): its admin API is at another address, admin.address of its configuration`;
    return new PilotlightError('ADMIN_REFUSED', message);
  }
  const message = typeof detail === 'string' ? detail : `${url} answers ${status}: ${title}`;
  if (
    code === 'SERVICE_UNKNOWN' ||
    code === 'SERVICE_NOT_RUNNABLE' ||
    code === 'ENDPOINT_UNKNOWN' ||
    code === 'REPLICA_NOT_READY'
  )
    return new PilotlightError(code, message);
  return new PilotlightError('ADMIN_REFUSED', message);
}

/** A command stumbled over what a running proxy told it: that has another form than this program knows. */
export function notUnderstood(thrown: TypeError): PilotlightError {
  const message =
    'what the running Pilotlight answers has another form than this program knows: they are of different versions, ' +
    'so use the command line of its own (PILOTLIGHT_DEBUG=1 shows more)';
  return new PilotlightError('ADMIN_REFUSED', message, thrown);
}
