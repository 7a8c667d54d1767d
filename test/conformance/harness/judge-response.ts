import type { Got, ResponseCase } from './case.ts';
import { compareFields, compareTrailers } from './compare-fields.ts';
import { connectionAfter, type Measure } from './measure.ts';
import { statusOf } from './message.ts';
import type { Observation } from './observe.ts';

/** See `judge`. */
export function judgeResponse(one: ResponseCase, seen: Observation, { ours }: Measure): string[] {
  if (ours) return judgeOurs(one, seen);
  if (one.rule === 'accept') return relayed(one.got as Got, seen, false);
  const visible = visiblyFailed(seen);
  if (one.rule !== 'either' || visible.length === 0) return visible;
  return one.got === undefined ? visible : relayed(one.got, seen, false);
}

function judgeOurs(one: ResponseCase, seen: Observation): string[] {
  const complaints = ending(one, seen);
  const kept = one.upstream ?? (one.refused ? 'discarded' : 'kept');
  if (seen.neighbour !== undefined && seen.upstreamKept !== (kept === 'kept'))
    complaints.push(`the upstream connection was not ${kept}`);
  if (seen.rest !== '') complaints.push(`bytes behind the answer: ${JSON.stringify(seen.rest)}`);
  return [...complaints, ...connectionAfter(seen, one.then ?? 'open')];
}

function ending(one: ResponseCase, seen: Observation): string[] {
  if (one.refused) {
    const statuses = seen.answers.map(({ status }) => status).join(' ');
    return statuses === '502' ? [] : [`answered ${statuses || 'nothing'} instead of 502`];
  }
  return relayed(one.got as Got, seen, true);
}

/** The client sees that something went wrong: an error, a message that is not whole, or a closed connection. */
function visiblyFailed(seen: Observation): string[] {
  const [answer] = seen.answers;
  if (seen.nonsense !== undefined) return [seen.nonsense];
  if (answer === undefined || answer.status >= 500 || answer.ending === 'truncated') return [];
  return [`the client got a whole ${answer.status} of ${answer.message.body.length} bytes`];
}

function relayed(want: Got, seen: Observation, ours: boolean): string[] {
  if (seen.nonsense !== undefined) return [seen.nonsense];
  const [answer] = seen.answers;
  if (answer === undefined) return ['no answer'];
  const { message, interim, status } = answer;
  const complaints = ours ? [...message.faults] : [];
  if (status !== want.status) complaints.push(`answered ${status}`);
  const body = want.body ?? '';
  if (want.ending === 'truncated' ? !body.startsWith(message.body) : message.body !== body) {
    complaints.push(`body ${JSON.stringify(message.body.slice(0, 100))}`);
  }
  if (answer.ending !== (want.ending ?? 'complete')) complaints.push(`the message is ${answer.ending}`);
  if (want.interim !== undefined || ours) {
    const statuses = interim.map(statusOf).join(' ');
    if (statuses !== (want.interim ?? []).join(' ')) complaints.push(`interim answers ${statuses || 'none'}`);
  }
  complaints.push(...compareFields(message, want.has, want.lacks));
  return ours ? [...complaints, ...compareTrailers(message, want.trailers ?? [])] : complaints;
}
