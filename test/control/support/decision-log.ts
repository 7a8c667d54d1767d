import { DecisionLog } from '../../../src/control/journal/decision-log.ts';
import { EventBus } from '../../../src/control/journal/event-bus.ts';
import type { ScaleDecision } from '../../../src/control/scale/service-scaler.ts';
import type { GuardVerdict } from '../../../src/model/decision.ts';
import type { Journal } from '../../../src/model/journal.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { MemoryJournal } from './memory-journal.ts';
import { FakeMetrics } from './world.ts';

/** The log of one service on virtual time, with what it says and keeps. */
export function decisionLog(journal: Journal = new MemoryJournal()) {
  const clock = new VirtualClock();
  const events = new EventBus(clock, silentLogger);
  const said: string[] = [];
  events.subscribe(({ type, message }) => said.push(`${type}: ${message}`));
  const metrics = new FakeMetrics();
  const { signal: life } = new AbortController();
  const decisions = new DecisionLog('shop', {
    clock,
    logger: silentLogger,
    metrics,
    events,
    journal,
    instance: 'test',
    random: () => 0,
    life,
  });
  const scaled = (outcome: Partial<ScaleDecision['outcome']>, inputs: object = {}): string | undefined => {
    const whole = { action: 'none', kind: undefined, from: 2, to: 2, reason: 'why', verdicts: [], ...outcome };
    const id = decisions.scaled({ outcome: whole, inputs: { tick: 1, ...inputs } } as unknown as ScaleDecision, false);
    clock.advance(1000);
    return id;
  };
  const refused = (guard: string, detail = 'full') => {
    const verdicts: GuardVerdict[] = [
      { guard: 'samples', verdict: 'pass', detail: 'enough' },
      { guard, verdict: 'block', detail },
    ];
    return scaled({ kind: 'latency', reason: 'p95 900 ms > 500 ms', verdicts }, { ready: 2 });
  };
  return { clock, decisions, said, metrics, scaled, refused, kept: journal as MemoryJournal };
}
