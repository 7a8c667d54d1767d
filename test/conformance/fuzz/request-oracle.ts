import type { Answer } from '../harness/client.ts';
import { valuesOf } from '../harness/message.ts';
import type { Received } from '../harness/origin.ts';
import { compareRequest, endsHere, targetOf } from './forwarded-request.ts';
import { closes, type RequestMeaning, requestMeaning } from './meaning.ts';
import { readRequestsByNode } from './node-requests.ts';
import type { Expectation } from './read-requests.ts';
import type { RequestSighting } from './request-trial.ts';
import type { Verdict } from './verdict.ts';

/** Statuses of a request that was not understood, or is not served. */
const REFUSALS = new Set([400, 405, 413, 414, 431, 501, 505]);
/** What the proxy answers itself does not wait for the rest of the request; the origin sends no Allow. */
const OWN_ANSWER = /^HTTP\/1\.1 200 OK\r\n(?:\S+: .*\r\n)*Allow: /;

/**
 * Whether all that reached the origin means what the client's bytes mean, and the client got the answers to just that.
 * @param valid the bytes are such that everybody has to accept them
 */
export async function judgeRequests(
  { requests, byNode }: Expectation,
  seen: RequestSighting,
  valid: boolean,
  port: number,
): Promise<Verdict> {
  const complaints = seen.unreadable.map((why) => `the origin cannot read what it got: ${why}`);
  if (seen.nonsense !== undefined) complaints.push(seen.nonsense);
  if (seen.after === 'open') complaints.push('the connection hangs');
  let forwarded = 0;
  let answered = 0;
  for (const want of requests) {
    const answer = seen.answers[answered];
    if (answer === undefined || answer.status >= 400) break;
    answered++;
    if (endsHere(want)) {
      complaints.push(...compareAnswer(answer, want.method, ''));
      continue;
    }
    const received = seen.received[forwarded++];
    complaints.push(...compareAnswer(answer, want.method, targetOf(want)));
    if (received === undefined) complaints.push(`${want.method} ${want.target} was answered, but not passed on`);
    else complaints.push(...(await compareReceived(want, received, answered <= byNode, port)));
  }
  for (const { raw } of seen.received.slice(forwarded)) complaints.push(`passed on: ${JSON.stringify(raw)}`);
  const refusal = refusalOf(seen, answered);
  if (answered < requests.length) {
    const last = requests[answered - 1];
    // What the proxy answers itself, it may answer before the end of the request, and close then.
    const over = last !== undefined && (closes(last) || endsHere(last));
    if (refusal === undefined && !over) complaints.push('a request was swallowed');
    if (valid && !over) complaints.push(`what is valid was not passed on: ${refusal}`);
  }
  if (refusal !== undefined && !REFUSALS.has(refusal)) complaints.push(`answered ${refusal}`);
  if (refusal === undefined && seen.rest !== '' && !OWN_ANSWER.test(seen.rest))
    complaints.push(`bytes behind the answers: ${seen.rest}`);
  const outcome = refusal !== undefined ? 'refused' : forwarded > 0 ? 'passed on' : 'broken off';
  return { complaints, outcome };
}

/** The refusal behind the answers: read with them, or among the bytes behind them. */
function refusalOf(seen: RequestSighting, answered: number): number | undefined {
  const read = seen.answers[answered]?.status;
  if (read !== undefined) return read;
  const status = /^HTTP\/1\.1 ([4-5]\d\d) /.exec(seen.rest)?.[1];
  return status === undefined ? undefined : Number(status);
}

async function compareReceived(
  want: RequestMeaning,
  { raw, message }: Received,
  knownToNode: boolean,
  port: number,
): Promise<string[]> {
  const { requests, rest } = await readRequestsByNode(raw);
  const [read] = requests;
  if (knownToNode && (read === undefined || requests.length !== 1 || rest !== 'none'))
    return [`Node does not read what was passed on: ${JSON.stringify(raw)}`];
  return compareRequest(want, message, read ?? requestMeaning(message), port);
}

/** The origin answers with the target, the proxy with nothing. */
function compareAnswer({ status, message, ending }: Answer, method: string, target: string): string[] {
  const body = method === 'HEAD' ? '' : target;
  if (status === 200 && ending === 'complete' && message.body === body) return [];
  const own = valuesOf(message.fields, 'proxy-status').join();
  return [`the answer to ${method} ${target} is ${status} ${own} ${JSON.stringify(message.body)}`];
}
