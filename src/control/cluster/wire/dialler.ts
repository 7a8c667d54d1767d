import { connect } from 'node:tls';
import type { Leader } from '../../../model/cluster.ts';
import { type ErrorCode, errorKinds, PilotlightError } from '../../../model/errors.ts';
import type { Logger } from '../../../model/observe.ts';
import { type BackoffOptions, backoffDelay } from '../../../util/backoff.ts';
import type { Clock, Timer } from '../../../util/clock.ts';
import { hostPort } from '../../../util/host-port.ts';
import { type Frame, Kind, unpack } from './frame.ts';
import { type Hello, PROTOCOL, type Welcome } from './hello.ts';
import { Peer } from './peer.ts';
import { clientTls, handshakeError } from './secret.ts';

/** Until a leader has taken the connection, ms. */
const CONNECT_MS = 5000;
/** A leader that does not lead yet, or is being replaced, is asked again soon. */
const BACKOFF: BackoffOptions = { base: 50, cap: 1000, jitter: 0.5 };
/** What somebody has to mend is tried less often. */
const SLOW_BACKOFF: BackoffOptions = { base: 1000, cap: 10_000, jitter: 0.5 };

/** A connection that the leader took. */
export interface Taken {
  onFrame(frame: Frame): void;
  /** The leader was heard. */
  onAlive(): void;
  onClose(): void;
}

export interface DiallerOptions {
  clock: Clock;
  logger: Logger;
  key: Buffer;
  leaseMs: number;
  random: () => number;
  /** What this member says of itself. */
  self: Omit<Hello, 'protocol' | 'leader'>;
  onTaken: (leader: Leader, peer: Peer) => Taken;
}

/** Keeps a connection to whoever leads: tries again, with growing pauses, until there is another leader. */
export class Dialler {
  readonly #options: DiallerOptions;
  #peer: Peer | undefined;
  #timer: Timer | undefined;
  /** Ends a try that has not come to a connection of TLS. */
  #abandon: (() => void) | undefined;
  #failures = 0;
  /** Why there is no connection to the leader; undefined: there is one, or nobody leads. */
  trouble: PilotlightError | undefined;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  follow(leader: Leader | undefined): void {
    this.#failures = 0;
    this.trouble = undefined;
    this.#timer?.cancel();
    const peer = this.#peer;
    this.#peer = undefined;
    peer?.close();
    this.#abandon?.();
    this.#abandon = undefined;
    if (leader !== undefined) this.#dial(leader);
  }

  #dial(leader: Leader): void {
    const { clock, key, self } = this.#options;
    const { host, port } = leader.address;
    const where = `${leader.member} at ${hostPort(leader.address)}`;
    const socket = connect({ host, port, ...clientTls(self.cluster, key) });
    socket.setNoDelay(true);
    let isOver = false;
    const over = () => {
      isOver = true;
      limit.cancel();
      this.#abandon = undefined;
    };
    const fail = (error: PilotlightError) => {
      if (isOver) return;
      over();
      socket.destroy();
      this.#failed(leader, error);
    };
    const limit = clock.after(CONNECT_MS, () =>
      fail(new PilotlightError('CLUSTER_LINK_FAILED', `no link with ${where}: no answer within ${CONNECT_MS} ms`)),
    );
    this.#abandon = () => {
      if (isOver) return;
      over();
      socket.destroy();
    };
    socket.on('error', (cause) => fail(handshakeError(where, cause)));
    socket.once('close', () => fail(new PilotlightError('CLUSTER_LINK_FAILED', `no link with ${where}: it hung up`)));
    socket.once('secureConnect', () => {
      if (isOver) return;
      over();
      this.#present(leader, where, socket);
    });
  }

  #present(leader: Leader, where: string, socket: ReturnType<typeof connect>): void {
    const { clock, leaseMs, self } = this.#options;
    const { member, index } = leader;
    let taken: Taken | undefined;
    const peer = new Peer(
      socket,
      {
        clock,
        leaseMs,
        index,
        onFrame: (frame) => {
          if (frame.kind === Kind.REFUSED) throw refused(unpack(frame), where);
          if (frame.index !== index) {
            throw new PilotlightError('CLUSTER_UNLED', `${member} leads by lock ${frame.index}, not by ${index}`);
          }
          if (taken === undefined && frame.kind === Kind.WELCOME) {
            taken = this.#take(leader, peer, unpack(frame) as Welcome);
          } else if (frame.kind !== Kind.ALIVE) taken?.onFrame(frame);
          taken?.onAlive();
        },
        onClose: (cause) => {
          taken?.onClose();
          if (this.#peer !== peer) return;
          this.#peer = undefined;
          const lost = `the link with ${where} ended`;
          this.#failed(leader, cause ?? new PilotlightError('CLUSTER_LINK_FAILED', lost));
        },
      },
      true,
    );
    this.#peer = peer;
    const { cluster, build, life, address } = self;
    const hello: Hello = { protocol: PROTOCOL, build, cluster, member: self.member, life, address, leader: member };
    peer.send(Kind.HELLO, 0, hello);
  }

  #take(leader: Leader, peer: Peer, { build }: Welcome): Taken {
    this.#failures = 0;
    this.trouble = undefined;
    const { member, address, index } = leader;
    const { logger, onTaken } = this.#options;
    logger.info({ leader: member, address: hostPort(address), index, build }, `cluster: led by ${member}`);
    return onTaken(leader, peer);
  }

  #failed(leader: Leader, error: PilotlightError): void {
    const { clock, logger, random } = this.#options;
    const before = this.trouble;
    this.trouble = error;
    this.#failures++;
    if (before?.code !== error.code) {
      const fields = { code: error.code, leader: leader.member, address: hostPort(leader.address) };
      if (error.code === 'CLUSTER_UNLED') logger.debug(fields, `cluster: ${error.message}`);
      else logger.warn(fields, `cluster: ${error.message}`);
    }
    const toMend = error.source === 'client';
    const delay = backoffDelay(this.#failures, toMend ? SLOW_BACKOFF : BACKOFF, random);
    this.#timer = clock.after(delay, () => this.#dial(leader));
  }
}

/** What a leader said that did not take the connection. */
function refused(value: unknown, where: string): PilotlightError {
  const { code, message } = (value ?? {}) as { code?: unknown; message?: unknown };
  const isKnown = typeof code === 'string' && code in errorKinds;
  return new PilotlightError(isKnown ? (code as ErrorCode) : 'CLUSTER_LINK_FAILED', `${where}: ${String(message)}`);
}
