import type { Socket } from 'node:net';
import type { ClientContext } from '../context.ts';
import { IdleList } from '../idle-connections.ts';
import type { ListenerContext, TlsEnd } from '../listener-context.ts';
import type { Acceptor } from './acceptor.ts';
import { Handshake } from './handshake.ts';

/** Ends TLS for one listener: new handshakes go by its present acceptor, those under way by the one they began with. */
export class TlsListener implements TlsEnd {
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  readonly #underWay = new IdleList();
  acceptor: Acceptor;

  constructor(context: ClientContext, listener: ListenerContext, acceptor: Acceptor) {
    this.#context = context;
    this.#listener = listener;
    this.acceptor = acceptor;
  }

  /** Where there are too many handshakes, the oldest makes room: those who only hold their place are among the oldest. */
  accept(socket: Socket): void {
    if (this.#underWay.size >= this.#listener.limits.handshakes) this.#underWay.first?.giveWay(false);
    new Handshake(socket, this.acceptor, this.#underWay, this.#context, this.#listener);
  }
}
