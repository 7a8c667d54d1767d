import { isOffered } from '../http1/field-lists.ts';
import { Framing } from '../http1/framing.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { Carrier } from '../upstream/carrier.ts';
import type { Downstream } from './downstream.ts';
import { WebSocketActivity } from './web-socket-activity.ts';

/** WebSocket Close frame, unmasked, 1001 "going away" (RFC 6455 §7.4.1). */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/**
 * Whether a 101 may be passed on: only what was asked for is switched to, after the whole request went up (RFC 9110
 * §7.8).
 */
export function maySwitch({ request, body }: Downstream, response: ResponseHead): boolean {
  return body.done && isOffered(response.upgrade, request.upgrade);
}

/** After a 101, passes bytes unchanged in both directions. */
export class Tunnel {
  readonly #client: Downstream;
  readonly #connection: Carrier;
  /** Set where only data counts as activity, and pings do not. */
  readonly #data: WebSocketActivity | undefined;

  /**
   * @param onlyData in a WebSocket, only data counts as activity
   * @param now the clock's ms
   */
  constructor(client: Downstream, connection: Carrier, onlyData: boolean, now: number) {
    this.#client = client;
    this.#connection = connection;
    this.#data = onlyData && isWebSocket(client.request) ? new WebSocketActivity(now) : undefined;
  }

  /** Passes on bytes of the client. */
  up(chunk: Buffer, now: number): void {
    this.#data?.fromClient(chunk, now);
    if (!this.#connection.send(chunk, Framing.NONE, chunk)) this.#client.pauseReading();
  }

  /** Passes on bytes of the service. @returns whether the client keeps up */
  down(bytes: Buffer, start: number, end: number, now: number): boolean {
    this.#data?.fromService(bytes, start, end, now);
    return this.#client.answer.raw(bytes, start, end);
  }

  /** Returns when it was last active, the clock's ms. @param lastByteAt when the last byte passed */
  activeAt(lastByteAt: number): number {
    return this.#data?.lastDataAt ?? lastByteAt;
  }

  /** The client has ended its side: tells the service. */
  passEnd(): void {
    this.#connection.endTunnel();
  }

  /** The service has ended its side. */
  get isHalfOver(): boolean {
    return this.#connection.hasEnded;
  }

  /** Tells the client that the tunnel is about to be closed, if its protocol has a way to say so. */
  sayGoingAway(): void {
    if (isWebSocket(this.#client.request)) this.#client.answer.write(GOING_AWAY);
  }
}

function isWebSocket({ upgrade }: RequestHead): boolean {
  return upgrade?.toLowerCase() === 'websocket';
}
