import type { Failure } from '../exchange/failure-policy.ts';
import { writeCopied } from '../io/joined-write.ts';
import type { Service } from '../service/service.ts';
import type { Opener } from '../service/unproven.ts';
import type { UpstreamConsumer, UpstreamFailure, UpstreamOpener } from '../upstream/carrier.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { UpstreamConnection } from '../upstream/upstream-connection.ts';

/** Whom the service's side of a session tells. */
export interface ServiceSideOwner {
  /** The endpoint has accepted, and nothing was sent yet. */
  onAccepted(): void;
  /** The bytes are only valid during the call. */
  onServiceBytes(bytes: Buffer): void;
  onServiceDrain(): void;
  /** The service has ended its side. */
  onServiceEnd(): void;
  /** Both sides have ended, and the service was sent everything. */
  onServiceDone(): void;
  /** The connection could not be opened, or is lost; it is closed already. */
  onServiceFailed(failure: Failure, connection: UpstreamConnection | undefined): void;
}

/** The service's side of a TCP session: one connection to an endpoint at a time. */
export class ServiceSide implements UpstreamOpener, UpstreamConsumer, Opener {
  readonly method = '';
  readonly #owner: ServiceSideOwner;
  #service: Service | undefined;
  #endpoint: Endpoint | undefined;
  #connection: UpstreamConnection | undefined;
  #hasEnded = false;
  /** The service ended its side before it was told of its client's end. */
  #endedFirst = false;

  constructor(owner: ServiceSideOwner) {
    this.#owner = owner;
  }

  /** Connects to an endpoint. The connection that proved it ready is used, if it is still there. */
  open(service: Service, endpoint: Endpoint, now: number): void {
    this.#service = service;
    this.#endpoint = endpoint;
    const kept = endpoint.takeIdle(now);
    this.#connection = kept ?? new UpstreamConnection(endpoint, this);
    if (kept !== undefined) this.#accept(kept);
  }

  /** Whether there is a connection, or it is being opened. */
  get isOpen(): boolean {
    return this.#connection !== undefined;
  }

  onConnected(connection: UpstreamConnection): void {
    const endpoint = this.#endpoint as Endpoint;
    if (endpoint.isUnproven) (this.#service as Service).trust.prove(this, endpoint, connection);
    else this.#accept(connection);
  }

  onProven(connection: UpstreamConnection, isProven: boolean): void {
    if (this.#connection !== connection) return;
    if (isProven && connection.usable) this.#accept(connection);
    else this.fail('unproven');
  }

  #accept(connection: UpstreamConnection): void {
    connection.take(this);
    connection.tunnel();
    this.#owner.onAccepted();
  }

  /** Gives the attempt up. */
  fail(failure: Failure): void {
    this.close();
    this.#owner.onServiceFailed(failure, undefined);
  }

  /** Sends bytes, which may be overwritten afterwards. @returns false when the service does not keep up */
  write(bytes: Buffer): boolean {
    const socket = (this.#connection as UpstreamConnection).socket;
    writeCopied(socket, bytes);
    return socket.writableLength === 0 || !socket.writableNeedDrain;
  }

  /** The client has ended its side: tells the service. */
  end(): void {
    const { socket } = this.#connection as UpstreamConnection;
    this.#endedFirst = this.#hasEnded;
    if (this.#hasEnded && socket.writableLength === 0) {
      // To close it says the same. A FIN of its own is one more system call and two turns of Node's streams.
      this.#settle();
      return;
    }
    if (this.#hasEnded) socket.once('finish', () => this.#settle());
    socket.end();
  }

  pauseReading(): void {
    this.#connection?.pauseReading();
  }

  resumeReading(): void {
    this.#connection?.resumeReading();
  }

  /** Closes the connection in such a way that the service takes nothing for complete. */
  reset(): void {
    this.#connection?.reset();
    this.#connection = undefined;
  }

  /** Closes the connection. That says nothing about the endpoint. */
  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }

  /** Both sides have ended, and everything is sent. */
  #settle(): void {
    if (this.#connection === undefined) return;
    this.close();
    // A replica that ends closes its sessions as well.
    if (this.#endedFirst) this.#endpoint?.lost(true);
    this.#owner.onServiceDone();
  }

  // ── as the connection sees it ─────────────────────────────────────────────────────────────────────────────────────

  onResponseBody(bytes: Buffer, start: number, end: number): void {
    this.#owner.onServiceBytes(bytes.subarray(start, end));
  }

  onUpstreamDrain(): void {
    this.#owner.onServiceDrain();
  }

  onTunnelEnd(): void {
    const { socket } = this.#connection as UpstreamConnection;
    this.#hasEnded = true;
    this.#owner.onServiceEnd();
    if (!socket.writableEnded) return;
    if (socket.writableFinished) this.#settle();
    else socket.once('finish', () => this.#settle());
  }

  onUpstreamFailure(connection: UpstreamConnection, failure: UpstreamFailure): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#owner.onServiceFailed(failure, connection);
  }

  onReadEnd(): void {}

  onResponseHead(): void {}

  onResponseEnd(): void {}
}
