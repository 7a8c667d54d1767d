import type { Case } from './case.ts';
import { judgeRequest } from './judge-request.ts';
import { judgeResponse } from './judge-response.ts';
import type { Measure } from './measure.ts';
import type { Observation } from './observe.ts';

/** What is wrong with what was seen; empty where nothing is. */
export function judge(one: Case, seen: Observation, measure: Measure): string[] {
  const complaints: string[] = [];
  if (seen.neighbour !== undefined && seen.neighbour !== 'own')
    complaints.push(`another client got a ${seen.neighbour} answer`);
  if (seen.follow === 'foreign') complaints.push('the next request on the connection got a foreign answer');
  const rest = one.kind === 'request' ? judgeRequest(one, seen, measure) : judgeResponse(one, seen, measure);
  return [...complaints, ...rest];
}
