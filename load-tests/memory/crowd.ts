import { connect, type Socket } from 'node:net';

/** Connections that are being opened at once: more would overflow the queue of a listening socket. */
const OPENING = 100;
/** They come from so many loopback addresses, as the ports of one would not do for much more than 10,000. */
const SOURCES = 4;

/** A request as browsers send them, about 400 bytes. */
const REQUEST = [
  'GET /some/page?with=query HTTP/1.1',
  'Host: crowd.test',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  'Accept: application/json, text/plain, */*',
  'Accept-Language: en-GB,en;q=0.9',
  'Accept-Encoding: gzip, deflate, br',
  `Cookie: session=${'c0ffee'.repeat(12)}`,
  'X-Requested-With: XMLHttpRequest',
  '',
  '',
].join('\r\n');

/** Many client connections with one request each. */
export class Crowd {
  /** Connections with a whole answer. */
  answered = 0;
  /** Connections that ended before {@link leave}. */
  lost = 0;
  readonly #sockets: Socket[] = [];
  #left = false;

  /** Opens so many connections to a port and sends a request on each. */
  static async gather(port: number, count: number): Promise<Crowd> {
    const crowd = new Crowd();
    let next = 0;
    const opener = async (): Promise<void> => {
      while (next < count) await crowd.#join(port, next++);
    };
    await Promise.all(Array.from({ length: OPENING }, opener));
    return crowd;
  }

  /** Closes all of them. */
  leave(): void {
    this.#left = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(port: number, index: number): Promise<void> {
    const localAddress = `127.0.0.${1 + (index % SOURCES)}`;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    this.#sockets.push(socket);
    socket.on('data', () => this.answered++);
    socket.once('close', () => {
      if (!this.#left) this.lost++;
    });
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => socket.write(REQUEST, () => resolve()));
    });
  }
}
