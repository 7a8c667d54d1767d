import type { ReplicaView } from '../../../src/control/replica/replica-view.ts';
import { apply } from '../../../src/control/service/apply.ts';
import { foresee } from '../../../src/control/service/foresee.ts';
import { plan } from '../../../src/control/service/plan.ts';
import type { ServiceEvent } from '../../../src/control/service/service-event.ts';
import { availableIn, countsOf, type ServiceView, wantedIn } from '../../../src/control/service/service-view.ts';
import type { Step } from '../../../src/control/service/step.ts';
import { type CircuitEvent, nextCircuit } from '../../../src/control/start/circuit.ts';
import type { ScaleSettings } from '../../../src/model/settings.ts';
import { testView } from './views.ts';

export const IDLE_MS = 3000;

/** A service of which nothing is real: its plan and what comes of it, on virtual time. */
export class PlannedService {
  view: ServiceView;
  readonly violations: string[] = [];
  /** How often a replica has become another one. */
  changed = 0;

  constructor(scale: Partial<ScaleSettings>) {
    this.view = testView({ idleMs: IDLE_MS, ...scale });
  }

  /** An event, what is planned for it, and another look. @returns all that was done */
  happens(event: ServiceEvent): Step[] {
    const steps = this.#take(event);
    return event.type === 'slept' || event.type === 'handed-over' ? steps : [...steps, ...this.look()];
  }

  look(): Step[] {
    const steps = this.#take({ type: 'looked', cause: 'replacement' });
    const again = this.#take({ type: 'looked', cause: 'replacement' });
    // What falls asleep drops what was on its way to it, and may be wanted back by who wakes it.
    const isResting = steps.some((step) => step.do === 'retire' && step.reason === 'idle');
    if (again.length > 0 && !isResting) this.violations.push(`done already: ${JSON.stringify(again)}`);
    return steps;
  }

  /** Time passes. */
  pass(ms: number): void {
    const { held, inFlight, now, lastActivityAt } = this.view;
    const isBusy = held + inFlight > 0;
    this.view = { ...this.view, now: now + ms, isBusy, lastActivityAt: isBusy ? now + ms : lastActivityAt };
    this.look();
  }

  ask(held: number, inFlight: number): void {
    this.view = { ...this.view, held, inFlight, isSilent: held + inFlight === 0 };
    this.pass(0);
  }

  /** The first replica of which that is true becomes another one, and the service hears of it. */
  changes(
    which: (replica: ReplicaView) => boolean,
    change: Partial<ReplicaView>,
    event?: (replica: ReplicaView) => ServiceEvent,
    circuit?: CircuitEvent,
  ): void {
    const found = this.view.replicas.find(which);
    if (found === undefined) return;
    const { ordinal, state, doing, hash, readyAt, inFlight, oldestMs } = found;
    const replica = { ordinal, state, doing, hash, readyAt, inFlight, oldestMs, ...change };
    const replicas = this.view.replicas.map((each) => (each === found ? replica : each));
    this.view = { ...this.view, replicas };
    this.changed++;
    if (circuit !== undefined) this.note(circuit);
    if (event !== undefined) this.happens(event(replica));
  }

  note(event: CircuitEvent): void {
    this.view = { ...this.view, circuit: nextCircuit(this.view.circuit, event, this.view.now, () => 0.5) };
  }

  #take(event: ServiceEvent): Step[] {
    this.view = apply(this.view, event);
    const steps = plan(this.view);
    for (const step of steps) {
      this.#check(step);
      this.view = foresee(this.view, step);
    }
    return steps.filter((step) => step.do !== 'look-again');
  }

  /** What no step may do. */
  #check(step: Step): void {
    const { scale, held, replicas } = this.view;
    const { live, ready, queued, starting } = countsOf(this.view);
    if (step.do === 'start') {
      const most = scale.max + Number(step.cause === 'new-run' || step.cause === 'leaving');
      if (live + step.count > most) this.violations.push(`${live} + ${step.count} of at most ${most}`);
    }
    if (step.do === 'retire') {
      const left = ready - step.replicas.length;
      const least =
        step.reason === 'idle' ? scale.min : step.reason === 'replaced' || step.reason === 'leaving' ? 1 : 0;
      if (left < least) this.violations.push(`${step.reason}: ${left} are left of at least ${least}`);
      const isCurrent = ({ state, hash }: ReplicaView) => state === 'ready' && hash === this.view.run?.hash;
      if (step.reason === 'unhealthy') {
        const going = replicas.filter(({ ordinal }) => step.replicas.includes(ordinal));
        if (going.length !== 1 || going.some(({ sickSince }) => sickSince === undefined))
          this.violations.push(`replaced as unhealthy: ${JSON.stringify(going)}`);
        if (replicas.some(({ doing, reason }) => doing !== 'none' && reason === 'unhealthy'))
          this.violations.push('two are replaced as unhealthy at once');
        if (left < Math.min(ready, wantedIn(this.view)) && live < scale.max && this.view.budgetLeft > 0 && queued === 0)
          this.violations.push('a sick one went first although there was room');
      }
      if (step.reason === 'replaced' && !replicas.some(isCurrent)) this.violations.push('replaced by nothing');
      const isVoluntary = step.reason !== 'unhealthy' && step.reason !== 'replaced' && this.view.news.type === 'looked';
      if (isVoluntary && this.view.isFrozen) this.violations.push(`${step.reason} while it is frozen`);
      if (step.reason === 'given-up') {
        if (left < 1) this.violations.push('the last one was given up');
        if (step.replicas.length > this.view.gives.length) this.violations.push('more given up than asked for');
        if (this.view.now < this.view.intent.leftAloneUntil)
          this.violations.push('given up a moment after it was changed by hand');
      }
      if (step.reason === 'scale-down' && ready + queued + starting - step.replicas.length < Math.min(1, ready))
        this.violations.push('the last one was scaled down');
    }
    if (step.do === 'withdraw' && held > 0 && availableIn(this.view) === 0 && this.view.news.type === 'looked') {
      const there = queued + starting + ready - step.replicas.length;
      if (there < wantedIn(this.view)) this.violations.push(`withdrawn what requests wait for: ${there} are left`);
    }
    if (step.do === 'start' && step.cause === 'demand' && replicas.some(({ isRevocable }) => isRevocable))
      this.violations.push('started although one that retires can be had back');
    if ((step.do === 'withdraw' || step.do === 'call-off') && this.view.news.type === 'slept' && held > 0)
      this.violations.push('put to sleep what requests wait for');
    for (const ordinal of 'replicas' in step ? step.replicas : [])
      if (step.do !== 'prepare' && !replicas.some((each) => each.ordinal === ordinal))
        this.violations.push(`${step.do} of ${ordinal}, which is not there`);
  }
}
