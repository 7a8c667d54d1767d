import type { Case } from '../harness/case.ts';
import { judge } from '../harness/judge.ts';
import { type Lane, Neighbour } from '../harness/lane.ts';
import { observe } from '../harness/observe.ts';
import { tables } from '../risks.ts';
import type { Subject } from './subject.ts';

/** Longest wait for an answer, ms: longer than the others' own time-outs. */
const ANSWER_MS = 3_000;

/** How one proxy did at one row. */
export interface Mark {
  risk: string;
  row: Case;
  /** Empty where it keeps to what the RFCs ask of anybody. */
  complaints: string[];
}

/** Runs all tables against a proxy, row by row on each of its lanes. */
export async function score(subject: Subject): Promise<Mark[]> {
  const marks: Mark[] = [];
  for (const [risk, rows] of Object.entries(tables)) {
    for (const row of rows) marks.push({ risk, row, complaints: [] });
  }
  const waiting = [...marks];
  await Promise.all(subject.lanes.map((lane) => work(lane, waiting)));
  return marks;
}

async function work(lane: Lane, waiting: Mark[]): Promise<void> {
  const neighbour = new Neighbour(lane.port);
  for (let mark = waiting.shift(); mark !== undefined; mark = waiting.shift()) {
    try {
      const seen = await observe(lane, neighbour, mark.row, { cuts: [], answerMs: ANSWER_MS, clean: true });
      mark.complaints = judge(mark.row, seen, { ours: false, pieces: false });
      if (seen.unfinished.length > 0) await settle(lane, neighbour);
    } catch (error) {
      mark.complaints = [String(error)];
    }
  }
  neighbour.close();
}

/** What an earlier row left half sent must not become part of the next. */
async function settle({ origin }: Lane, neighbour: Neighbour): Promise<void> {
  origin.reset();
  await neighbour.ask(ANSWER_MS);
}
