import type { HashOn } from '../../model/balancing.ts';
import { hash32 } from '../../util/hash32.ts';
import { cookieValue } from '../http1/cookies.ts';
import type { RequestHead } from '../http1/request.ts';

/**
 * Hashes what `balance: hash` knows a request by; undefined where the request lacks it.
 * @param client address of the client
 */
export function hashKey(on: HashOn, request: RequestHead, client: string): number | undefined {
  const text = textOf(on, request, client);
  return text === undefined || text === '' ? undefined : hash32(text);
}

function textOf(on: HashOn, request: RequestHead, client: string): string | undefined {
  switch (on.kind) {
    case 'client':
      return client;
    case 'path':
      return request.target.slice(0, request.pathEnd);
    case 'header':
      return request.head.get(on.name);
    case 'cookie':
      return cookieValue(request.head, on.name);
  }
}
