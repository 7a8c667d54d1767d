import type { EndpointByHand } from '../model/status.ts';
import type { Problem } from './problem.ts';
import { readMembers } from './read-members.ts';

const MOST_WEIGHT = 65_535;

export const badEndpointChange: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'BODY_INVALID',
  detail: `the body is JSON such as {"drain": true} or {"weight": 5}: from 0 to ${MOST_WEIGHT}, or null for what its source says`,
};

/** What the body asks to be set of an endpoint; undefined where it does not say that. */
export function readEndpointChange(body: string): Partial<EndpointByHand> | undefined {
  const asked = readMembers(body);
  if (asked === undefined) return undefined;
  const { drain, weight, ...more } = asked;
  if (Object.keys(more).length > 0 || (drain === undefined && weight === undefined)) return undefined;
  if (drain !== undefined && typeof drain !== 'boolean') return undefined;
  if (weight !== undefined && weight !== null && !isWeight(weight)) return undefined;
  return { ...(drain !== undefined && { drain }), ...(weight !== undefined && { weight: weight as number | null }) };
}

function isWeight(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MOST_WEIGHT;
}
