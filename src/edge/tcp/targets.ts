import type { TcpSettings } from '../../model/settings.ts';
import { HostTree } from '../route/host-tree.ts';

/** Stands for every name, and for none. */
const ANY = '*';

/** Where the connections of one TCP listener lead. */
export class TcpTargets {
  /** The service of all of them; undefined: the name that a ClientHello asks for decides. */
  readonly service: string | undefined;
  readonly #exact = new Map<string, string>();
  readonly #wild = new HostTree<string>();
  readonly #any: string | undefined;

  constructor({ service, sni }: TcpSettings) {
    this.service = service;
    for (const each of sni) {
      if (each.name === ANY) this.#any = each.service;
      else if (each.name.startsWith('*.')) this.#wild.of(each.name.slice(2), () => each.service);
      else this.#exact.set(each.name, each.service);
    }
  }

  /** Returns the service of a name: exact before the longest suffix before `*`; undefined: none is for it. */
  of(name: string | undefined): string | undefined {
    if (name === undefined) return this.#any;
    return this.#exact.get(name) ?? this.#wild.longest(name) ?? this.#any;
  }
}
