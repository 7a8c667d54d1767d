/** Where the token is kept: for this tab only, and for this port only, which a cookie would not be. */
const KEY = 'pilotlight-token';

/** Longest wait for an answer, ms; over the proxy's own limit for one. */
const ANSWER_MS = 15_000;

/** The admin API refused something, or does not answer. */
export class ApiError extends Error {
  /** 0: no answer. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

export function setToken(value: string | undefined): void {
  if (value === undefined) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
}

export function authorization(): Record<string, string> {
  const value = token();
  return value === null ? {} : { authorization: `Bearer ${value}` };
}

/** Reads a resource, such as `v1/costs`. @throws ApiError */
export function read<Answer>(path: string): Promise<Answer> {
  return ask('GET', path) as Promise<Answer>;
}

/** Has something done. @throws ApiError */
export function act<Answer>(path: string, body?: object): Promise<Answer> {
  return ask('POST', path, body) as Promise<Answer>;
}

/** Path of something of a service. */
export function ofService(name: string, what = ''): string {
  return `v1/services/${encodeURIComponent(name)}${what === '' ? '' : `/${what}`}`;
}

async function ask(method: string, path: string, body?: object): Promise<unknown> {
  const answer = await fetch(path, {
    method,
    signal: AbortSignal.timeout(ANSWER_MS),
    cache: 'no-store',
    headers: { ...authorization(), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(noAnswer);
  if (answer.ok) return answer.json().catch(noAnswer);
  throw new ApiError(answer.status, await problemOf(answer));
}

function noAnswer(): never {
  throw new ApiError(0, 'Pilotlight does not answer');
}

/** What a refusal says (RFC 9457). */
export async function problemOf(answer: Response): Promise<string> {
  try {
    const { detail, title } = (await answer.json()) as { detail?: string; title?: string };
    return detail || title || `status ${answer.status}`;
  } catch {
    return `status ${answer.status}`;
  }
}
