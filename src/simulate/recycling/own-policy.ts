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

  plan(): KeepPlan {
    return keepOnly(this.#auto.keepMs(this.#weight));
  }

  idled(gapMs: number): void {
    this.#auto.learnt.gaps.add(gapMs);
  }

  woken(startMs: number, waitMs: number): void {
    this.#auto.saw('startMs', startMs);
    this.#auto.saw('waitMs', waitMs);
  }

  stopped(stopMs: number): void {
    this.#auto.saw('stopMs', stopMs);
  }
}
