import type { Logger } from '../../model/observe.ts';
import { AddressRanges } from '../io/address-ranges.ts';
import { clientKey } from '../io/client-address.ts';

/** Networks that are told of: those that may well hold a proxy of the operator's, and others. */
const MAX_PRIVATE = 16;
const MAX_PUBLIC = 4;
const PRIVATE = new AddressRanges(
  '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 127.0.0.0/8 169.254.0.0/16 100.64.0.0/10 ::1 fc00::/7 fe80::/10'.split(' '),
);

/**
 * Says, once per network and of few of them, that a peer that is not trusted sends forwarding fields: behind a proxy of
 * one's own the service would take http for https, and that proxy for all clients. Anybody can send such fields, so the
 * lines are bounded, and strangers leave room for those who may be a proxy.
 */
export class UntrustedForwarding {
  readonly #logger: Logger;
  readonly #told = { private: new Set<string>(), public: new Set<string>() };

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  tell(peer: string): void {
    const isPrivate = PRIVATE.has(peer);
    const told = isPrivate ? this.#told.private : this.#told.public;
    const network = peer.includes(':') ? clientKey(peer) : peer.slice(0, peer.lastIndexOf('.'));
    if (told.size >= (isPrivate ? MAX_PRIVATE : MAX_PUBLIC) || told.has(network)) return;
    told.add(network);
    this.#logger.warn(
      { peer },
      `${peer} sends forwarding fields (X-Forwarded-Proto and the like), which are dropped: ` +
        'if it is a proxy of yours, its address belongs in trustedProxies',
    );
  }
}
