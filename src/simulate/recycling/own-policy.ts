import { AutoKeep } from '../../control/scale/auto-keep.ts';
import { type KeepPlan, type KeepPolicy, keepOnly, type NamedPolicy } from './keep-policy.ts';

/** `idle: auto`, the product's own code. @param weight `scale.weight` */
export function ownPolicy(weight: number): NamedPolicy {
  return { name: `auto, weight ${weight}`, create: () => new OwnPolicy(weight) };
}

class OwnPolicy implements KeepPolicy {
  readonly #weight: number;
  readonly #auto = new AutoKeep();

  constructor(weight: number) {
    this.#weight = weight;
  }

  plan(since: number): KeepPlan {
    const { keepMs, expected } = this.#auto.plan(since, this.#weight);
    if (expected === undefined) return keepOnly(keepMs);
    return { keepMs, prewarmMs: expected.fromAt - since, untilMs: expected.untilAt - since };
  }

  idled(gapMs: number, at: number): void {
    this.#auto.idled(gapMs, 1, at, this.#weight);
  }

  woken(startMs: number, waitMs: number): void {
    this.#auto.saw('startMs', startMs);
    this.#auto.saw('waitMs', waitMs);
  }

  stopped(stopMs: number): void {
    this.#auto.saw('stopMs', stopMs);
  }
}
