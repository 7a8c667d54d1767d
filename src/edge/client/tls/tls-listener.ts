import type { Socket } from 'node:net';
import { IdleList } from '../../io/idle-connections.ts';
import type { ClientContext } from '../context.ts';
import type { ListenerContext, TlsEnd } from '../listener-context.ts';
import type { Acceptors, RulesName } from './acceptors.ts';
import { Handshake } from './handshake.ts';

/** Ends TLS for one listener: new handshakes go by its present acceptors, those under way by the one they began with. */
export class TlsListener implements TlsEnd {
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  readonly #underWay = new IdleList();
  acceptors: Acceptors;

  constructor(context: ClientContext, listener: ListenerContext, acceptors: Acceptors) {
    this.#context = context;
    this.#listener = listener;
    this.acceptors = acceptors;
  }

  /** Where there are too many handshakes, the oldest makes room: those who only hold their place are among the oldest. */
  accept(socket: Socket): void {
    if (this.#underWay.size >= this.#listener.limits.handshakes) this.#underWay.first?.giveWay(false);
    new Handshake(socket, this.acceptors, this.#underWay, this.#context, this.#listener);
  }
  rulesFor(host: string): RulesName {
    return this.acceptors.of(host).rules;
  }
}
