import { connect, type TLSSocket } from 'node:tls';
import {
  type Frame,
  type FrameKind,
  FrameReader,
  frameHead,
  MAX_FRAME,
  pack,
  unpack,
} from '../../../../src/control/cluster/wire/frame.ts';
import { PROTOCOL } from '../../../../src/control/cluster/wire/hello.ts';
import { clientTls, wireKey } from '../../../../src/control/cluster/wire/secret.ts';
import type { HostPort } from '../../../../src/model/settings.ts';
import { until } from '../../../edge/wire.ts';

/** Whoever connects to a member with the right secret, and says what a test has it say. */
export class Stranger {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  isOver = false;

  private constructor(socket: TLSSocket) {
    this.socket = socket;
    const reader = new FrameReader(MAX_FRAME);
    socket.on('data', (chunk) => {
      reader.push(chunk);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) this.frames.push(frame);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isOver = true;
    });
  }

  static async open(address: HostPort, secret = 'a secret that members share', cluster = 'edge'): Promise<Stranger> {
    const socket = connect({ ...address, ...clientTls(cluster, wireKey(secret, cluster)) });
    const stranger = new Stranger(socket);
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    return stranger;
  }

  say(kind: FrameKind, value?: unknown, channel = 0, index = 7): void {
    const packed = pack(value);
    this.socket.write(Buffer.concat([frameHead(kind, channel, index, packed), packed.bytes]));
  }

  /** A hello that is taken, with changes. */
  hello(change: object = {}): object {
    const address = { host: '127.0.0.1', port: 1 };
    return {
      protocol: PROTOCOL,
      build: '1.0.0',
      cluster: 'edge',
      member: 'x',
      life: '1',
      address,
      leader: 'a',
      ...change,
    };
  }

  async hears(kind: FrameKind): Promise<unknown> {
    await until(() => this.frames.some((frame) => frame.kind === kind), `a frame of kind ${kind}`);
    return unpack(this.frames.find((frame) => frame.kind === kind) as Frame);
  }

  async over(): Promise<void> {
    await until(() => this.isOver, 'the end of the connection');
  }
}
