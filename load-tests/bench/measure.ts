import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cores } from '../support/process.ts';
import type { BenchOptions } from './options.ts';
import { usageOf } from './process-tree.ts';
import { type Ground, PROXIES, type Subject, startPilotlight } from './proxies.ts';
import { type Round, roundOf } from './sample.ts';
import type { Tool } from './tools.ts';
import type { Bench, Load, Workload } from './workloads.ts';

/** All rounds of one subject. */
export interface Measured {
  subject: Subject;
  rounds: Round[];
}

/** Length of the round before the first, which is not counted: code gets compiled, connections are made. S. */
const WARM_UP_S = 2;

/** Starts the proxies of a workload, and measures each in every round, in turning order. */
export async function measure(
  workload: Workload,
  bench: Bench,
  options: BenchOptions & { core: Cores; tools: ReadonlySet<Tool> },
): Promise<Measured[]> {
  const subjects = await startAll(workload, bench, options);
  const load = await workload.prepare(bench, subjects);
  for (const subject of subjects) await load(subject, WARM_UP_S);
  const measured = subjects.map((subject): Measured => ({ subject, rounds: [] }));
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < measured.length; turn++) {
      const one = measured[(round + turn) % measured.length];
      one?.rounds.push(await measureRound(one.subject, load, options.seconds));
    }
  }
  return measured;
}

async function startAll(
  workload: Workload,
  bench: Bench,
  { proxies, core, tools, against }: BenchOptions & { core: Cores; tools: ReadonlySet<Tool> },
): Promise<Subject[]> {
  const subjects: Subject[] = [];
  const upstream = bench.upstreams[workload.upstream];
  const nextGround = async (command?: readonly string[]): Promise<Ground> => {
    const folder = join(bench.folder, `proxy-${subjects.length}`);
    await mkdir(folder, { recursive: true });
    return { folder, core, upstream, ...(command === undefined ? {} : { command }) };
  };
  for (const [variant, extra] of Object.entries(workload.variants?.(bench) ?? {})) {
    subjects.push({ ...(await startPilotlight(variant, await nextGround(), extra)), variant });
    if (against === undefined) continue;
    const before = await startPilotlight(`${variant}, before`, await nextGround(against.command), extra);
    subjects.push({ ...before, variant, isBefore: true });
  }
  if (workload.variants !== undefined) return subjects;
  const chosen = against === undefined || proxies.length > 0 ? proxies : ['pilotlight'];
  for (const [name, { tool, start }] of Object.entries(PROXIES)) {
    if ((chosen.length > 0 && !chosen.includes(name)) || (tool !== undefined && !tools.has(tool))) continue;
    subjects.push(await start(await nextGround()));
  }
  if (against === undefined) return subjects;
  const before = await startPilotlight(`before (${against.name})`, await nextGround(against.command));
  return [...subjects, { ...before, isBefore: true }];
}

async function measureRound({ pid, ...subject }: Subject, load: Load, seconds: number): Promise<Round> {
  const before = pid === undefined ? undefined : usageOf(pid);
  const sample = await load({ pid, ...subject }, seconds);
  const after = pid === undefined ? undefined : usageOf(pid);
  return roundOf(sample, before, after);
}
