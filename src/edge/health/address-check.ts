import type { ProbeRequest } from '../../model/link.ts';
import { Framing } from '../http1/framing.ts';
import { localHeader } from '../io/proxy-header.ts';
import type { Carrier, UpstreamConsumer, UpstreamOpener } from '../upstream/carrier.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Why a check of bytes fails. */
const UNEXPECTED = 'an answer that is not what ready.tcp.expect says';

/** Why a check fails that takes too long. */
export const LATE = 'no answer in time';

/**
 * `checking`: it connects and asks. `proven`: the answer was good but closed the connection, so another one is opened.
 */
type Phase = 'checking' | 'proven' | 'over';

/**
 * Checks once whether an address answers as it should: connects, asks, and judges the status. A connection that is to
 * be kept has nothing in flight at the end; otherwise it is closed.
 */
export class AddressCheck implements UpstreamOpener, UpstreamConsumer {
  readonly method = 'GET';
  readonly #check: ProbeRequest['check'];
  readonly #endpoint: Endpoint;
  readonly #keep: boolean;
  readonly #done: (outcome: string | Carrier) => void;
  #connection: Carrier;
  #phase: Phase = 'checking';
  /** Status of the answer; 0 without one. */
  status = 0;
  /** Bytes of an answer that is none of HTTP, as far as they are compared. */
  #answer = '';

  /** @param done called once, with the connection or with what is wrong; not after `close` */
  constructor(
    check: ProbeRequest['check'],
    endpoint: Endpoint,
    keep: boolean,
    done: (outcome: string | Carrier) => void,
  ) {
    this.#check = check;
    this.#endpoint = endpoint;
    this.#keep = keep;
    this.#done = done;
    this.#connection = this.#open();
  }

  close(): void {
    this.#phase = 'over';
    this.#connection.destroy();
  }

  fail(reason: string): void {
    if (this.#phase === 'over') return;
    this.close();
    this.#done(reason);
  }

  onConnected(connection: Carrier): void {
    const check = this.#check;
    if (check.kind === 'connect' || this.#phase === 'proven') {
      this.#succeed(connection);
      return;
    }
    connection.take(this);
    if (check.kind === 'bytes') {
      connection.tunnel();
      if (check.send !== '') connection.send(Buffer.from(check.send, 'latin1'), Framing.NONE);
      return;
    }
    const head =
      `GET ${check.path} HTTP/1.1\r\nHost: ${check.hostHeader}\r\nUser-Agent: pilotlight-probe\r\nAccept: */*\r\n` +
      `${this.#keep ? '' : 'Connection: close\r\n'}\r\n`;
    connection.begin(head, [], 0, Framing.NONE, true, '');
  }

  onResponseHead(connection: Carrier): void {
    const { status } = connection.response;
    if (status >= 200) this.status = status;
    if (status < 200 || this.#keep) return;
    if (this.#isGood()) this.#succeed(connection);
    else this.fail(this.#objection());
  }

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    const check = this.#check;
    if (check.kind !== 'bytes' || this.#phase !== 'checking') return;
    const { expect } = check;
    this.#answer += bytes.toString('latin1', start, Math.min(end, start + expect.length));
    const isWhole = this.#answer.length >= expect.length;
    if (!(isWhole ? this.#answer.startsWith(expect) : expect.startsWith(this.#answer))) {
      this.fail(UNEXPECTED);
    } else if (isWhole) {
      // What was said on this connection is no beginning of a session.
      this.#connection.destroy();
      if (this.#keep) this.#reconnect();
      else this.#succeed(this.#connection);
    }
  }

  onResponseEnd(connection: Carrier): void {
    if (this.#phase === 'over') return;
    if (!this.#isGood()) {
      connection.destroy();
      this.fail(this.#objection());
    } else if (connection.usable) {
      this.#succeed(connection);
    } else {
      this.#reconnect();
    }
  }

  onReadEnd(): void {
    // The status is known, so a long body is not waited for.
    if (this.#phase === 'checking' && this.#connection.phase === 'body' && this.#isGood()) {
      this.#connection.destroy();
      this.#reconnect();
    }
  }

  onUpstreamDrain(): void {}

  onTunnelEnd(): void {
    this.fail('reset');
  }

  onUpstreamFailure({ fault, reason }: Carrier, failure: string): void {
    this.fail(reason === '' ? (fault ?? failure) : reason);
  }

  /** Nobody is the client of a check. */
  #open(): Carrier {
    const version = this.#endpoint.transport?.proxyProtocol ?? false;
    return this.#endpoint.open(this, version ? localHeader(version) : undefined);
  }

  #succeed(connection: Carrier): void {
    if (this.#keep) this.#phase = 'over';
    else this.close();
    this.#done(connection);
  }

  #isGood(): boolean {
    const check = this.#check;
    return check.kind === 'http' && this.status >= check.statusMin && this.status <= check.statusMax;
  }

  /** Tells what is wrong with the status. A 4xx may be due to the Host that was sent, so that is told too. */
  #objection(): string {
    const { status } = this;
    const check = this.#check;
    const isRefusal = check.kind === 'http' && status >= 400 && status < 500;
    return isRefusal ? `status ${status} (to Host: ${check.hostHeader})` : `status ${status}`;
  }

  #reconnect(): void {
    this.#phase = 'proven';
    this.#connection = this.#open();
  }
}
