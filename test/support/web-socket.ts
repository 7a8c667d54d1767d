import { randomBytes } from 'node:crypto';
import { freshId, RawConnection } from './raw-client.ts';

/** A WebSocket client that sends and reads text frames. */
export class WebSocketClient {
  readonly connection: RawConnection;
  readonly headers: Record<string, string>;

  private constructor(connection: RawConnection, headers: Record<string, string>) {
    this.connection = connection;
    this.headers = headers;
  }

  /** Upgrades a new connection; throws unless the answer is 101. */
  static async open(port: number, host: string, path = '/ws', id = freshId()): Promise<WebSocketClient> {
    const connection = await RawConnection.open(port);
    const key = randomBytes(16).toString('base64');
    const lines = [`GET ${path} HTTP/1.1`, `Host: ${host}`, `X-Test-Id: ${id}`, 'Connection: Upgrade'];
    lines.push('Upgrade: websocket', 'Sec-WebSocket-Version: 13', `Sec-WebSocket-Key: ${key}`, '', '');
    await connection.write(lines.join('\r\n'));
    const { status, headers } = await connection.readHead();
    if (status === 101) return new WebSocketClient(connection, headers);
    connection.destroy();
    throw new Error(`the upgrade was answered ${status}`);
  }

  /** Sends text frames, all in one write. */
  async send(...texts: string[]): Promise<void> {
    await this.connection.write(Buffer.concat(texts.map((text) => clientFrame(1, Buffer.from(text)))));
  }

  /** The text of the next frame. */
  async next(): Promise<string> {
    const [, second = 0] = await this.connection.readExactly(2);
    let length = second & 127;
    if (length === 126) length = (await this.connection.readExactly(2)).readUInt16BE(0);
    else if (length === 127) length = Number((await this.connection.readExactly(8)).readBigUInt64BE(0));
    return (await this.connection.readExactly(length)).toString();
  }

  /** Says goodbye, waits for the answer and closes. */
  async close(): Promise<void> {
    await this.connection.write(clientFrame(8, Buffer.from([3, 232])));
    await this.next();
    this.connection.destroy();
  }
}

function clientFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const long = length > 125;
  if (length > 65_535) throw new Error('longer than this client sends');
  const head = Buffer.alloc(long ? 8 : 6);
  const mask = randomBytes(4);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (long ? 126 : length);
  if (long) head.writeUInt16BE(length, 2);
  mask.copy(head, head.length - 4);
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([head, masked]);
}
