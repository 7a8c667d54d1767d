import assert from 'node:assert/strict';
import { until } from '../../support/until.ts';
import { Client } from './client.ts';
import { type EdgeSettings, type RunningEdge, startEdge } from './edge.ts';
import { ANSWER_MS, askOwn } from './lane.ts';
import { Origin } from './origin.ts';

export interface StageSettings extends Omit<EdgeSettings, 'origins'> {
  /** Latin-1 that every client sends before anything else. */
  preamble?: string;
}

/** An edge with an origin behind it and clients before it, for one scenario. Nothing of it may be left afterwards. */
export class Stage {
  readonly edge: RunningEdge;
  readonly origin: Origin;
  readonly #clients: Client[] = [];
  readonly #preamble: string;

  private constructor(edge: RunningEdge, origin: Origin, preamble: string) {
    this.edge = edge;
    this.origin = origin;
    this.#preamble = preamble;
  }

  static async set(settings: StageSettings = {}): Promise<Stage> {
    const origin = await Origin.open();
    return new Stage(await startEdge({ ...settings, origins: [origin.port] }), origin, settings.preamble ?? '');
  }

  /** A fresh client connection that has sent the preamble; closed with the stage. */
  readonly client = async (): Promise<Client> => {
    const client = await this.bare();
    await client.send(this.#preamble);
    return client;
  };

  /** The same without a preamble. */
  readonly bare = async (): Promise<Client> => {
    const client = await Client.open(this.edge.port);
    this.#clients.push(client);
    return client;
  };

  /** A client of its own that has sent this. */
  readonly sent = async (text: string): Promise<Client> => {
    const client = await this.client();
    await client.send(text);
    return client;
  };

  /** Whether somebody else is served as ever. */
  readonly serves = async (): Promise<void> => {
    const client = await this.client();
    assert.equal(await askOwn(client, 'witness', ANSWER_MS), 'own', 'another client is not served its own answer');
    client.close();
  };

  /** Waits until so many requests have reached the origin, the witness's not counted. @returns their lines */
  readonly reached = async (count: number): Promise<string[]> => {
    const lines: string[] = [];
    await until(
      `${count} requests at the origin`,
      () => {
        for (const { message, target } of this.origin.take().received) {
          if (!target.startsWith('/witness-')) lines.push(message.line);
        }
        return lines.length >= count;
      },
      ANSWER_MS,
      2,
    );
    return lines;
  };

  /** Takes everything down, and looks that nothing is left: no connection on either side, no timer. */
  async strike(): Promise<void> {
    for (const client of this.#clients) client.close();
    // A tunnel whose client has closed waits for the other end: it may have something left to say.
    this.origin.reset();
    await until('no client connection is left', async () => (await this.edge.connections()) === 0, ANSWER_MS, 5);
    await this.edge.close();
    await until('no connection to the origin is left', () => this.origin.connections === 0, ANSWER_MS, 5);
    await this.origin.close();
    assert.equal(this.edge.timers(), 0, 'timers are left');
  }
}

/** Plays a scenario on a stage of its own, then on to whether another client is still served, and takes it down. */
export async function play(settings: StageSettings, scene: (stage: Stage) => Promise<void>): Promise<void> {
  const stage = await Stage.set(settings);
  try {
    await scene(stage);
    stage.origin.answering = undefined;
    stage.origin.interrupting = undefined;
    await stage.serves();
  } catch (error) {
    await stage.strike().catch(() => undefined);
    throw error;
  }
  await stage.strike();
}
