import type { Logger } from '../../model/observe.ts';
import type { RouteView } from '../../model/snapshot.ts';
import type { Service } from '../service/service.ts';
import { PasswordVerifier } from './password-verifier.ts';
import type { Route } from './route.ts';
import { RouteRules } from './route-rules.ts';

/**
 * Makes routes of views. Rules that a reload leaves as they are go on with what they know: clients keep their rate, and
 * nobody's password is hashed again.
 */
export class RouteCompiler {
  readonly #verifier: PasswordVerifier;
  #rules = new Map<string, RouteRules>();
  #next = new Map<string, RouteRules>();

  constructor(logger: Logger) {
    this.#verifier = new PasswordVerifier(logger);
  }

  compile(view: RouteView, service: Service): Route {
    const { maxBody = 0 } = view;
    if (view.rules === undefined) return { service, rules: undefined, maxBody };
    const key = JSON.stringify([view.service, view.host ?? null, view.path, view.ambiguousPaths, view.rules]);
    const rules = this.#rules.get(key) ?? new RouteRules(view.rules, view, this.#verifier);
    this.#next.set(key, rules);
    return { service, rules, maxBody };
  }

  /** All routes of one table are compiled: what none of them uses is forgotten. */
  done(): void {
    this.#rules = this.#next;
    this.#next = new Map();
  }
}
