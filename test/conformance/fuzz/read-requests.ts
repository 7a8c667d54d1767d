import { readMessage, valuesOf } from '../harness/message.ts';
import { closes, listOf, type RequestMeaning, requestMeaning } from './meaning.ts';
import { readRequestsByNode } from './node-requests.ts';

/** Who reads a client's bytes, request by request. */
export interface Expectation {
  /** Whole requests in their order, as far as somebody can read them. */
  requests: RequestMeaning[];
  /** How many of them Node has read; the rest is the tests' own reader's, which knows all methods. */
  byNode: number;
}

/**
 * What a client's bytes mean: to Node's parser, and behind what it does not read (a method that it does not know) to the
 * tests' own strict reader. Where Node waits for more, nothing follows. A request for an upgrade is the own reader's,
 * too: Node takes it for the end of HTTP, and is not strict about its framing any more.
 */
export async function readRequests(text: string): Promise<Expectation> {
  const { requests, rest } = await readRequestsByNode(text);
  const upgrade = requests.findIndex(({ fields }) => listOf(fields, 'connection').includes('upgrade'));
  const known = upgrade < 0 ? requests : requests.slice(0, upgrade);
  const byNode = known.length;
  const last = known.at(-1);
  const over = (upgrade < 0 && rest === 'partial') || (last !== undefined && closes(last));
  return { requests: over ? known : [...known, ...readStrictly(text).slice(byNode)], byNode };
}

/** A length beside a transfer coding is one request to some and another to others, and must not pass (RFC 9112 §6.3). */
function readStrictly(text: string): RequestMeaning[] {
  const requests: RequestMeaning[] = [];
  let rest = text;
  for (;;) {
    const reading = readMessage(rest.replace(/^\r\n/, ''), { answers: undefined, ended: false });
    if (reading.state !== 'whole') return requests;
    const request = requestMeaning(reading.message);
    const has = (name: string) => valuesOf(request.fields, name).length > 0;
    if (has('transfer-encoding') && has('content-length')) return requests;
    requests.push(request);
    if (closes(request)) return requests;
    rest = rest.replace(/^\r\n/, '').slice(reading.end);
  }
}
