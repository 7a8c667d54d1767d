import type { RouteSettings } from '../../model/settings.ts';
import { isAstray, leadsAstray, pathKey } from '../../util/path-readings.ts';
import type { Head } from '../http1/head.ts';
import { HeaderEdit } from './header-rules.ts';
import { endOfSegments } from './route-table.ts';

const FIELD = 'X-Forwarded-Prefix';
const withoutField = new HeaderEdit({ set: [], remove: [FIELD] });
/** A prefix that a trusted peer may have cut off before: segments only. */
const PREFIX = /^(?:\/[A-Za-z0-9\-._~!$&'()*+=:@%]+)+$/;

/** Cuts the path of a route off what its service gets, and tells the service by X-Forwarded-Prefix. */
export class StripPrefix {
  readonly #path: string;
  readonly #segments: number;
  readonly #forwards: boolean;

  constructor({ path, ambiguousPaths }: Pick<RouteSettings, 'path' | 'ambiguousPaths'>) {
    this.#path = path;
    this.#segments = path.split('/').length - 1;
    this.#forwards = ambiguousPaths === 'forward';
  }

  /**
   * Whether the rest of a path is safe: however it is read, it names neither another host nor anything outside of the
   * prefix (GHSA-2q7r-29rg-6m5h, GHSA-6jwx-7vp4-9847).
   */
  isSafe(path: string): boolean {
    const rest = this.cut(path);
    return this.#forwards ? !isAstray(pathKey(rest)) : !isAstray(rest) && !leadsAstray(rest);
  }

  /**
   * Returns the rest of a path that the prefix matched, in whatever spelling: from the border of its last segment on.
   */
  cut(path: string): string {
    const rest = path.slice(endOfSegments(path, this.#segments));
    return rest === '' ? '/' : rest;
  }

  /**
   * Cuts the prefix off the target of a head (METHOD SP target SP …), and adds the field by which the service can make
   * links.
   * @param sent the head of a trusted peer; undefined for others
   */
  apply(head: string, target: string, pathEnd: number, sent: Head | undefined): string {
    const outer = sent?.get('x-forwarded-prefix');
    const rest = outer === undefined ? head : withoutField.strip(head);
    const prefix = outer !== undefined && PREFIX.test(outer) ? `${outer}${this.#path}` : this.#path;
    const at = rest.indexOf(' ') + 1;
    const path = this.cut(target.slice(0, pathEnd));
    return `${rest.slice(0, at)}${path}${rest.slice(at + pathEnd, -2)}${FIELD}: ${prefix}\r\n\r\n`;
  }
}
