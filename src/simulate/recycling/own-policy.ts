import { AutoKeep } from '../../control/scale/auto-keep.ts';
import { SiblingGaps } from '../../control/scale/sibling-gaps.ts';
import { type KeepPlan, type KeepPolicy, keepOnly, type NamedPolicy } from './keep-policy.ts';

/** `idle: auto`, the product's own code, of one proxy with all its services. @param weight `scale.weight` */
export function ownPolicy(weight: number): NamedPolicy {
  const siblings = new SiblingGaps();
  return { name: `auto, weight ${weight}`, create: () => new OwnPolicy(weight, siblings) };
}

class OwnPolicy implements KeepPolicy {
  readonly #weight: number;
  readonly #auto: AutoKeep;
  #kept = keepOnly(0);

  constructor(weight: number, siblings: SiblingGaps) {
    this.#weight = weight;
    this.#auto = new AutoKeep(siblings);
  }

  plan(since: number): KeepPlan {
    const { keepMs, expected } = this.#auto.plan(since, this.#weight);
    if (expected === undefined) {
      if (keepMs !== this.#kept.keepMs) this.#kept = keepOnly(keepMs);
      return this.#kept;
    }
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
