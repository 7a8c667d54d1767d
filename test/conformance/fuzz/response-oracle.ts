import { valuesOf } from '../harness/message.ts';
import type { Observation } from '../harness/observe.ts';
import type { RequestMeaning, ResponseMeaning } from './meaning.ts';
import { readResponseByNode } from './node-responses.ts';
import { compareResponse } from './relayed-response.ts';
import type { Verdict } from './verdict.ts';

/**
 * Whether the client got what the origin's bytes mean, or can see that it did not.
 * @param sent undefined where nobody can read it
 * @param valid the bytes are such that everybody has to accept them
 */
export async function judgeResponse(
  asked: RequestMeaning,
  sent: ResponseMeaning | undefined,
  seen: Observation,
  valid: boolean,
): Promise<Verdict> {
  const complaints: string[] = [];
  if (seen.nonsense !== undefined) complaints.push(seen.nonsense);
  if (seen.rest !== '') complaints.push(`bytes behind the answer: ${JSON.stringify(seen.rest)}`);
  if (seen.follow === 'foreign') complaints.push('the next request on the connection got a foreign answer');
  if (seen.follow === 'none' && seen.state === 'open') complaints.push('the next request got no answer');
  if (seen.neighbour !== undefined && seen.neighbour !== 'own')
    complaints.push(`another client got a ${seen.neighbour} answer`);
  const [answer] = seen.answers;
  const whole = answer?.ending === 'complete';
  if (!whole && seen.state === 'open') complaints.push('the connection hangs');
  if (answer === undefined) {
    if (valid) complaints.push('no answer');
    return { complaints, outcome: 'broken off' };
  }
  complaints.push(...answer.message.faults);
  const read = await readResponseByNode(answer.raw, asked.method);
  // Node was shown the bytes, not how the connection ended.
  const got = read === undefined || answer.message.framing !== 'close' ? read : { ...read, ending: answer.ending };
  if (got === undefined) complaints.push(`Node does not read the answer: ${JSON.stringify(answer.raw)}`);
  if (isOwn(got)) {
    if (valid || got?.status !== 502) complaints.push(`answered ${got?.status}`);
    return { complaints, outcome: 'refused' };
  }
  if (got !== undefined) {
    if (got.ending !== answer.ending) complaints.push(`Node takes the answer for ${got.ending}`);
    if (sent === undefined) complaints.push(`passed on: ${JSON.stringify(answer.raw)}`);
    else complaints.push(...compareResponse(asked, sent, got));
  }
  if (valid && !whole) complaints.push('the answer broke off');
  return { complaints, outcome: whole ? 'passed on' : 'broken off' };
}

function isOwn(got: ResponseMeaning | undefined): boolean {
  return got !== undefined && valuesOf(got.fields, 'proxy-status').some((value) => value.startsWith('pilotlight;'));
}
