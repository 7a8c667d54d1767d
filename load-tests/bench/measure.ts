import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cores } from '../support/process.ts';
import { beginCounting } from './counters.ts';
import type { BenchOptions } from './options.ts';
import { treeOf, usageOf } from './process-tree.ts';
import { startPilotlight } from './proxies/pilotlight.ts';
import type { Ground, Speech, Subject } from './proxies/subject.ts';
import { type Contender, PROXIES } from './proxies.ts';
import { type Round, roundOf } from './sample.ts';
import type { Tool } from './tools.ts';
import { type Bench, type Load, USUAL, type Workload } from './workload.ts';

/** All rounds of one subject. */
export interface Measured {
  subject: Subject;
  rounds: Round[];
}

/** Length of the round before the first, which is not counted, s: code gets compiled, connections are made. */
const WARM_UP_S = 2;
const WARM_UP_NATIVE_S = 1;

/** What all workloads of a run have in common. */
export type Run = BenchOptions & { core: Cores; tools: ReadonlySet<Tool>; isCounted: boolean };

/** Starts the proxies of a workload, and measures each in every round, in turning order. */
export async function measure(workload: Workload, bench: Bench, options: Run): Promise<Measured[]> {
  const subjects = await startAll(workload, bench, options);
  const load = await workload.prepare(bench, subjects);
  for (const subject of subjects) await load(subject, PROXIES[subject.name]?.isNative ? WARM_UP_NATIVE_S : WARM_UP_S);
  const measured = subjects.map((subject): Measured => ({ subject, rounds: [] }));
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < measured.length; turn++) {
      const one = measured[(round + turn) % measured.length];
      one?.rounds.push(await measureRound(one.subject, load, options));
    }
  }
  return measured;
}

async function startAll(workload: Workload, bench: Bench, options: Run): Promise<Subject[]> {
  const { core, against } = options;
  const subjects: Subject[] = [];
  const upstream = bench.upstreams[workload.upstream];
  const { speech = 'http' } = workload;
  const nextGround = async (command?: readonly string[]): Promise<Ground> => {
    const folder = join(bench.folder, `proxy-${subjects.length}`);
    await mkdir(folder, { recursive: true });
    const { certificate } = bench;
    return { folder, core, upstream, speech, certificate, ...(command === undefined ? {} : { command }) };
  };
  for (const [variant, extra] of Object.entries(workload.variants?.(bench) ?? {})) {
    subjects.push({ ...(await startPilotlight(variant, await nextGround(), extra)), variant });
    if (against === undefined) continue;
    const before = await startPilotlight(`${variant}, before`, await nextGround(against.command), extra);
    subjects.push({ ...before, variant, isBefore: true });
  }
  if (workload.variants !== undefined) return subjects;
  for (const { start } of proxiesFor(workload, speech, options)) subjects.push(await start(await nextGround()));
  if (against === undefined) return subjects;
  const before = await startPilotlight(`before (${against.name})`, await nextGround(against.command));
  return [...subjects, { ...before, isBefore: true }];
}

/** Those that are asked for, or usual, and can be measured; says which cannot, and why. */
function proxiesFor({ proxies: usual }: Workload, speech: Speech, { proxies, tools, against }: Run): Contender[] {
  const chosen = proxies.length > 0 ? proxies : against === undefined ? (usual ?? USUAL) : ['pilotlight'];
  return chosen.flatMap((name) => {
    const proxy = PROXIES[name] as Contender;
    const missing = proxy.needs(speech).filter((tool) => !tools.has(tool));
    if (missing.length === 0 && proxy.speaks.includes(speech)) return [proxy];
    const why = missing.length > 0 ? `it needs ${missing.join(', ')}` : `it does not take ${speech}`;
    console.log(`without ${name}: ${why}`);
    return [];
  });
}

async function measureRound({ pid, ...subject }: Subject, load: Load, { seconds, isCounted }: Run): Promise<Round> {
  const endCounting = isCounted && pid !== undefined ? await beginCounting(treeOf(pid)) : undefined;
  const before = pid === undefined ? undefined : usageOf(pid);
  const sample = await load({ pid, ...subject }, seconds);
  const after = pid === undefined ? undefined : usageOf(pid);
  return roundOf(sample, before, after, await endCounting?.());
}
