import type { LeaderCalls } from '../../model/cluster.ts';
import { PilotlightError } from '../../model/errors.ts';
import { abortedWithin } from '../../util/abort.ts';
import type { Control } from '../control.ts';

/** What is asked of the leader, whoever that is. */
const ASKED = [
  'services',
  'service',
  'endpoints',
  'changeEndpoint',
  'output',
  'why',
  'starts',
  'costs',
  'sources',
  'wake',
  'sleep',
  'scale',
  'freeze',
  'unfreeze',
] as const satisfies readonly (keyof Control)[];

type Asked = (typeof ASKED)[number];

/** The part of a control plane that may be another member's. */
export type AskedOfLeader = Pick<Control, Asked>;

/** The leader answers within this time, ms. */
const ANSWER_MS = 10_000;
const known: ReadonlySet<string> = new Set(ASKED);

/** Asks whoever leads, over the wire. All methods throw CLUSTER_UNLED too. */
export function askLeader(calls: LeaderCalls, life: AbortSignal): AskedOfLeader {
  const methods = ASKED.map((method) => {
    const ask = (...args: unknown[]) => calls.call(method, args, abortedWithin(ANSWER_MS, life)).catch(asUnled);
    return [method, ask];
  });
  return Object.fromEntries(methods) as unknown as AskedOfLeader;
}

/** Answers for the control plane that leads. @throws what it throws; INTERNAL where there is no such question */
export async function answerMember(control: Control, method: string, args: unknown[]): Promise<unknown> {
  if (!known.has(method)) throw new PilotlightError('INTERNAL', `a member asks for ${method}, which is unknown`);
  const answer = control[method as Asked] as (...args: unknown[]) => Promise<unknown>;
  return answer.apply(control, args);
}

function asUnled(error: unknown): never {
  if (error instanceof DOMException)
    throw new PilotlightError('CLUSTER_UNLED', 'the leader of the cluster does not answer');
  throw error;
}
