import type { RequestCase, Seen } from './case.ts';
import { compareFields, compareTrailers, unfitFields } from './compare-fields.ts';
import { connectionAfter, type Measure } from './measure.ts';
import { valuesOf } from './message.ts';
import type { Observation } from './observe.ts';
import type { Received } from './origin.ts';

/** See `judge`. */
export function judgeRequest(one: RequestCase, seen: Observation, { ours, pieces }: Measure): string[] {
  if (ours) return one.refused === undefined ? forwardedExactly(one, seen) : refusedExactly(one, seen, pieces);
  if (one.rule === 'accept') return forwarded(one, seen, false);
  const refusal = notForwarded(seen);
  if (one.rule === 'refuse' || refusal.length === 0) return refusal;
  return one.seen === undefined ? refusal : forwarded(one, seen, false);
}

function notForwarded(seen: Observation): string[] {
  const lines = seen.received.map(({ message }) => `the origin got ${JSON.stringify(message.line)}`);
  return [...lines, ...unreadable(seen)];
}

function unreadable(seen: Observation): string[] {
  return seen.unreadable.map((why) => `the origin cannot read what it got: ${why}`);
}

function refusedExactly(one: RequestCase, seen: Observation, pieces: boolean): string[] {
  const complaints = notForwarded(seen);
  if (!pieces && seen.unfinished.length > 0) complaints.push('the origin got the beginning of it');
  const statuses = seen.answers.map(({ status }) => status).join(' ');
  if (statuses !== String(one.refused)) complaints.push(`answered ${statuses || 'nothing'} instead of ${one.refused}`);
  if (seen.answers[0]?.ending === 'truncated') complaints.push('the refusal is not whole');
  if (seen.rest !== '') complaints.push(`bytes behind the refusal: ${JSON.stringify(seen.rest)}`);
  return [...complaints, ...connectionInOrder(seen, one.then ?? 'closed')];
}

function forwardedExactly(one: RequestCase, seen: Observation): string[] {
  const complaints = forwarded(one, seen, true);
  if (seen.unfinished.length > 0)
    complaints.push(`the origin waits for the rest of ${JSON.stringify(seen.unfinished)}`);
  return [...complaints, ...connectionInOrder(seen, one.then ?? 'open')];
}

/** A connection that we close is closed in order: nothing of the answer is lost. */
function connectionInOrder(seen: Observation, then: 'open' | 'closed'): string[] {
  return seen.state === 'reset' ? ['the connection was reset'] : connectionAfter(seen, then);
}

function forwarded(one: RequestCase, seen: Observation, ours: boolean): string[] {
  const complaints = unreadable(seen);
  if (seen.nonsense !== undefined) complaints.push(seen.nonsense);
  const expected = one.seen ?? [];
  const got = seen.received.map(({ method, target }) => `${method} ${target}`).join(', ');
  if (seen.received.length !== expected.length) complaints.push(`the origin got ${got || 'nothing'}`);
  for (const [index, want] of expected.entries()) {
    const received = seen.received[index];
    if (received !== undefined) complaints.push(...differences(received, want, ours));
    if (received !== undefined && ours) complaints.push(...ownRules(received, want, one.ours, seen));
    const answer = seen.answers[index];
    if (answer === undefined) complaints.push('no answer');
    else if (answer.status !== 200) complaints.push(`answered ${answer.status}`);
    else if (answer.message.body !== (want.method === 'HEAD' ? '' : want.target)) complaints.push('a foreign answer');
  }
  return complaints;
}

function differences({ message, method, target }: Received, want: Seen, ours: boolean): string[] {
  const complaints = [...message.faults];
  if (method !== want.method) complaints.push(`method ${method}`);
  if (target !== want.target) complaints.push(`target ${target} instead of ${want.target}`);
  const host = valuesOf(message.fields, 'host').join('|');
  if (want.host !== undefined && host !== want.host) complaints.push(`Host ${host} instead of ${want.host}`);
  if (message.body !== (want.body ?? '')) complaints.push(`body ${JSON.stringify(message.body.slice(0, 100))}`);
  complaints.push(...compareFields(message, want.has, want.lacks));
  // Others may drop trailers; nobody may make fields of them, which `lacks` looks at.
  return ours ? [...complaints, ...compareTrailers(message, want.trailers)] : complaints;
}

function ownRules({ message }: Received, want: Seen, own: RequestCase['ours'], seen: Observation): string[] {
  const has = own?.has?.map((field) => field.replace('{port}', String(seen.port)).replace('{scheme}', seen.scheme));
  const trailers = want.trailers === undefined ? compareTrailers(message, []) : [];
  return [...unfitFields(message), ...compareFields(message, has, own?.lacks), ...trailers];
}
