import type { Service } from '../service/service.ts';
import type { RouteRules } from './route-rules.ts';

/** Where a request goes, and what is asked of it and done to it on the way. Compiled from a `RouteView`. */
export interface Route {
  readonly service: Service;
  /** Undefined for most: their requests are only sent on. */
  readonly rules: RouteRules | undefined;
  /** Most bytes of a request body; 0 = no limit. */
  readonly maxBody: number;
}
