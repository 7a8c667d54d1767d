import { expect } from 'vitest';
import type { EdgeHarness } from './edge-harness.ts';
import { type Client, deadPort, Origin, type OriginConnection, ok } from './wire.ts';

/** How a backend treats a request: answers with this status, cuts the connection, or says nothing. */
type Mood = number | 'cut' | 'silent';

/** An origin that answers with its own name, or as it is told. */
export class Backend {
  readonly name: string;
  readonly origin: Origin;
  mood: Mood = 200;
  /** The same for checks; as for requests unless told. */
  checkMood: Mood | undefined;
  /** Targets of the requests that came, checks not counted. */
  readonly targets: string[] = [];
  /** Bytes of their bodies. */
  readonly bodies: number[] = [];
  /** Request targets of health checks that came. */
  readonly checks: string[] = [];

  private constructor(name: string, origin: Origin) {
    this.name = name;
    this.origin = origin;
    origin.script = (connection) => this.#play(connection);
  }

  static async listen(name: string, mood: Mood = 200): Promise<Backend> {
    // No port that the kernel gives out: when the backend closes, nobody else gets it.
    const backend = new Backend(name, await Origin.listen(undefined, undefined, await deadPort()));
    backend.mood = mood;
    return backend;
  }

  static all(names: string): Promise<Backend[]> {
    return Promise.all([...names].map((name) => Backend.listen(name)));
  }

  get requests(): number {
    return this.targets.length;
  }

  get port(): number {
    return this.origin.port;
  }

  async #play(connection: OriginConnection): Promise<void> {
    for (;;) {
      const seen = await connection.request();
      if (seen === undefined) break;
      const isCheck = seen.fields['user-agent']?.[0] === 'pilotlight-probe';
      (isCheck ? this.checks : this.targets).push(seen.line.split(' ')[1] as string);
      if (!isCheck) this.bodies.push(seen.body.length);
      const mood = (isCheck ? this.checkMood : undefined) ?? this.mood;
      if (mood === 'cut') {
        connection.reset();
        return;
      }
      if (mood === 'silent') continue;
      connection.write(ok(this.name, '', `${mood} Told`));
    }
    connection.end();
  }
}

/** Sends `count` requests, one after the other, and gives the bodies of the answers. */
export async function ask(client: Client, count: number, fields = '', path = '/'): Promise<string[]> {
  const bodies: string[] = [];
  for (let i = 0; i < count; i++) {
    client.get(path, fields);
    bodies.push((await client.answer()).text);
  }
  return bodies;
}

/** As `ask`, on a new connection; which names answered, in order of the alphabet, once each. */
export async function served(harness: EdgeHarness, count: number, fields = ''): Promise<string> {
  const client = await harness.connect();
  const bodies = await ask(client, count, fields);
  client.destroy();
  return [...new Set(bodies)].sort().join('');
}

/** The status of the answer to one request. */
export async function statusOf(client: Client): Promise<number> {
  client.get();
  return (await client.answer()).status;
}

/** Expects it as soon as it is so: something is on its way. */
export function eventually<Value>(value: () => Value | Promise<Value>) {
  return expect.poll(value, { timeout: 60_000, interval: 5 });
}
