import type { TcpSettings } from '../../model/settings.ts';
import { HostMap } from '../route/host-map.ts';

/** Stands for every name, and for none. */
const ANY = '*';

/** Where the connections of one TCP listener lead. */
export class TcpTargets {
  /** The service of all of them; undefined: the name that a ClientHello asks for decides. */
  readonly service: string | undefined;
  readonly #names = new HostMap<string>();
  readonly #any: string | undefined;

  constructor({ service, sni }: TcpSettings) {
    this.service = service;
    for (const each of sni) {
      if (each.name === ANY) this.#any = each.service;
      else this.#names.add(each.name, each.service);
    }
  }

  /** Returns the service of a name: exact before the longest suffix before `*`; undefined: none is for it. */
  of(name: string | undefined): string | undefined {
    if (name === undefined) return this.#any;
    return this.#names.of(name) ?? this.#any;
  }
}
