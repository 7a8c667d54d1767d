import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram } from './command.ts';
import { aptInstall } from './debian.ts';
import { RawConnection } from './raw-client.ts';

/** The path of a Redis server: one on the PATH, else Debian's package, which is installed. */
export async function findOrInstallRedis(): Promise<string> {
  const found = findProgram('redis-server');
  if (found !== undefined) return found;
  await aptInstall(['redis-server']);
  const installed = findProgram('redis-server');
  if (installed === undefined) throw new Error('the Debian package redis-server brought no program of that name');
  return installed;
}

/** A Redis as a service of TCP, with a data folder of its own below `folder`. */
export async function redisService(program: string, folder: string, change: object = {}): Promise<object> {
  const cwd = join(folder, 'redis');
  await mkdir(cwd, { recursive: true });
  const command = [program, '--port', '{port}', '--bind', '127.0.0.1', '--dir', cwd, '--appendonly', 'yes'];
  return {
    run: { process: { command: [...command, '--appendfsync', 'always', '--save', ''], cwd } },
    ready: { tcp: { send: 'PING\r\n', expect: '+PONG' } },
    ...change,
  };
}

/** A client of Redis that sends commands as lines. */
export class RedisClient {
  readonly connection: RawConnection;

  private constructor(connection: RawConnection) {
    this.connection = connection;
  }

  static async open(port: number): Promise<RedisClient> {
    return new RedisClient(await RawConnection.open(port));
  }

  /** Sends a command whose answer is one line, or a text of one line. @returns the line, or the text */
  async ask(command: string): Promise<string> {
    await this.connection.write(`${command}\r\n`);
    const first = await this.#line();
    return /^\$\d+$/.test(first) ? this.#line() : first;
  }

  async #line(): Promise<string> {
    let line = '';
    while (!line.endsWith('\r\n')) line += (await this.connection.readExactly(1)).toString('latin1');
    return line.slice(0, -2);
  }

  close(): void {
    this.connection.socket.destroy();
  }
}

/** One command on a connection of its own. */
export async function askRedis(port: number, command: string): Promise<string> {
  const client = await RedisClient.open(port);
  try {
    return await client.ask(command);
  } finally {
    client.close();
  }
}
