import type { Logger } from '../../model/observe.ts';
import type { RouteView, ServicePolicy } from '../../model/snapshot.ts';
import { CompressionRule } from '../compress/compression-rule.ts';
import type { Service } from '../service/service.ts';
import { CompiledRules } from './compiled-rules.ts';
import { PasswordVerifier } from './password-verifier.ts';
import type { RateShare } from './rate-limiter.ts';

/** Where a request goes, and what the route asks and changes on the way. Compiled from a `RouteView`. */
export interface Route {
  readonly service: Service;
  /** As the configuration has it, for people. */
  readonly path: string;
  /** Undefined for most routes, which only pass requests on. */
  readonly rules: CompiledRules | undefined;
  /** Most bytes of a request body; 0 = no limit. */
  readonly maxBody: number;
  /** Undefined: answers are sent as they are. */
  readonly compression: CompressionRule | undefined;
}

/**
 * Compiles views into routes. A rule that a reload leaves unchanged goes on with what it knows: clients keep their
 * rate, and no password is hashed again.
 */
export class RouteCompiler {
  /** For the rates of all routes. */
  readonly rateShare: RateShare = { of: 1 };
  readonly #verifier: PasswordVerifier;
  #rules = new Map<string, CompiledRules>();
  #next = new Map<string, CompiledRules>();
  /** By what they are compiled from: mostly it is the same for all. */
  readonly #compressions = new Map<string, CompressionRule>();

  constructor(logger: Logger) {
    this.#verifier = new PasswordVerifier(logger);
  }

  compile(view: RouteView, service: Service): Route {
    const { path, maxBody = 0 } = view;
    const compression = this.#compressionOf(view.compress ?? service.policy.compress);
    if (view.rules === undefined) return { service, path, rules: undefined, maxBody, compression };
    const key = JSON.stringify([view.service, view.host ?? null, view.path, view.on, view.ambiguousPaths, view.rules]);
    const rules = this.#rules.get(key) ?? new CompiledRules(view.rules, view, this.#verifier, this.rateShare);
    this.#next.set(key, rules);
    return { service, path, rules, maxBody, compression };
  }

  #compressionOf(settings: ServicePolicy['compress']): CompressionRule | undefined {
    if (settings === undefined || settings === false) return undefined;
    const key = JSON.stringify(settings);
    const rule = this.#compressions.get(key) ?? new CompressionRule(settings);
    this.#compressions.set(key, rule);
    return rule;
  }

  /** All routes of one table are compiled: forgets the rules that none of them uses. */
  done(): void {
    this.#rules = this.#next;
    this.#next = new Map();
    this.#compressions.clear();
  }
}
