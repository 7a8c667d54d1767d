import { describe, expect } from 'vitest';
import { type App, containerName } from '../support/app.ts';
import { pause } from '../support/raw-client.ts';
import { type Stage, scenario } from '../support/scenario.ts';

const SCALE = { idle: '4s', latency: { window: '2s' } };

interface Inspected {
  State: { Running: boolean };
}

/** As `docker compose up` leaves it: with a restart policy. */
async function existing(stage: Stage, name: string, policy: string): Promise<App> {
  const app = await stage.app(name, { place: 'docker-existing', service: { scale: SCALE } });
  const path = `/containers/${containerName(stage.workspace, name)}`;
  await stage.docker('POST', `${path}/update`, { RestartPolicy: { Name: policy } });
  return app;
}

async function runs(stage: Stage, { name }: App): Promise<boolean> {
  const path = `/containers/${containerName(stage.workspace, name)}/json`;
  return (await stage.docker<Inspected>('GET', path)).json.State.Running;
}

const startByHand = (stage: Stage, { name }: App): Promise<unknown> =>
  stage.docker('POST', `/containers/${containerName(stage.workspace, name)}/start`);

describe.concurrent('containers that others start and nobody visits', () => {
  for (const policy of ['unless-stopped', 'always']) {
    scenario(`are put to sleep after one idle time, and stay asleep (restart: ${policy})`, async (stage) => {
      const apps = await Promise.all(['one', 'two', 'three'].map((name) => existing(stage, name, policy)));
      const [one, two, three] = apps as [App, App, App];
      await Promise.all([startByHand(stage, one), startByHand(stage, two)]);
      const first = await stage.proxy({ apps });
      for (const { name } of [one, two]) await first.untilState(name, 'ready');
      await startByHand(stage, three);
      await first.untilState(three.name, 'ready');
      // None is stopped at once, neither by the first proxy nor by its successor.
      await first.stop();
      const second = await stage.proxy({ apps, successorOf: first });
      for (const { name } of apps) await second.untilState(name, 'ready');
      for (const app of apps) expect(await runs(stage, app)).toBe(true);
      for (const { name } of apps) await second.untilState(name, 'asleep', 60_000);
      for (const app of apps) {
        expect(app.log.boots()).toHaveLength(1);
        expect(second.output).toContain(`${app.name} adopted ${app.name}-1, which was running`);
        const told = second.events.filter(({ service }) => service === app.name).map(({ message }) => message);
        expect(told).toContain(`${app.name} retiring ${app.name}-1 (idle for 4 s)`);
        expect(told).toContain(`${app.name} asleep after 4s idle`);
      }
      await pause(1_000);
      for (const app of apps) expect(await runs(stage, app)).toBe(false);
      // One that is started while it sleeps is taken over again.
      await startByHand(stage, three);
      await second.untilState(three.name, 'ready');
      await second.untilState(three.name, 'asleep', 60_000);
      expect(await runs(stage, three)).toBe(false);
    });
  }
});
