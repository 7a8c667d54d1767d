import { PacedLoad, type Sample } from './paced-load.ts';
import { pause, request } from './raw-client.ts';
import { WebSocketClient } from './web-socket.ts';

/** What came of a steady load. */
interface SteadyResult {
  /** Requests sent on connections that are kept, and on a connection each. */
  kept: number;
  fresh: number;
  /** Messages that the WebSocket echoed. */
  echoed: number;
  /** Of the requests on kept connections. */
  samples: readonly Sample[];
  /** One line for each request, or message, that was not answered as it should. */
  failures: string[];
}

/** How long one may take to fail for good, ms: longer than any wait that is not a failure. */
const PATIENCE_MS = 30_000;

/**
 * Clients that go on whatever happens to the proxy: requests on kept connections, requests on new ones, and a WebSocket
 * with an echo behind it.
 */
export class SteadyLoad {
  readonly #port: number;
  readonly #host: string;
  readonly #kept: PacedLoad;
  readonly #socket: WebSocketClient | undefined;
  readonly #loops: Promise<void>[];
  readonly #result: SteadyResult = { kept: 0, fresh: 0, echoed: 0, samples: [], failures: [] };
  #stopped = false;

  private constructor(port: number, host: string, rate: number, socket: WebSocketClient | undefined) {
    this.#port = port;
    this.#host = host;
    this.#socket = socket;
    this.#kept = PacedLoad.start({ port, host, rate: rate / 2 });
    this.#loops = [this.#connect(2000 / rate), ...(socket === undefined ? [] : [this.#echo(socket)])];
  }

  /**
   * @param rate requests per second, half of them on new connections
   * @param webSocket whether there is one; a process that ends ends those that it carries
   */
  static async start(port: number, host: string, rate: number, { webSocket = true } = {}): Promise<SteadyLoad> {
    return new SteadyLoad(port, host, rate, webSocket ? await WebSocketClient.open(port, host) : undefined);
  }

  async stop(): Promise<SteadyResult> {
    this.#stopped = true;
    const samples = await this.#kept.stop();
    await Promise.all(this.#loops);
    this.#socket?.connection.destroy();
    for (const { status, error } of samples) {
      if (status !== 200) this.#result.failures.push(`kept: ${error ?? `answered ${status}`}`);
    }
    return { ...this.#result, kept: samples.length, samples };
  }

  async #connect(everyMs: number): Promise<void> {
    const open: Promise<void>[] = [];
    while (!this.#stopped) {
      this.#result.fresh++;
      open.push(this.#one());
      await pause(everyMs);
    }
    await Promise.all(open);
  }

  async #one(): Promise<void> {
    try {
      const { status, ending } = await request(this.#port, { host: this.#host, timeout: PATIENCE_MS });
      if (status !== 200 || ending !== 'complete') this.#result.failures.push(`fresh: answered ${status}, ${ending}`);
    } catch (error) {
      this.#result.failures.push(`fresh: ${error}`);
    }
  }

  async #echo(socket: WebSocketClient): Promise<void> {
    try {
      for (; !this.#stopped; this.#result.echoed++) {
        const text = `message ${this.#result.echoed}`;
        await socket.send(text);
        const echo = await socket.next();
        if (echo !== text) throw new Error(`echoed ${echo}`);
        await pause(50);
      }
    } catch (error) {
      this.#result.failures.push(`WebSocket: ${error}`);
    }
  }
}
