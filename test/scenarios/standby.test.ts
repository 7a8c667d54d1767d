import { describe, expect } from 'vitest';
import type { ReplicaState } from '../../src/model/replica.ts';
import { runningContainers } from '../support/app.ts';
import { expectStatus } from '../support/docker-api.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

type Place = 'process' | 'docker-container' | 'docker-existing';

/** Somebody ends the replica that is paused. */
async function kill(stage: Stage, place: Place, { pid = 0 }: { pid?: number } = {}): Promise<void> {
  if (place === 'process') {
    process.kill(-pid, 'SIGKILL');
    return;
  }
  const [id] = await runningContainers(stage.workspace, 'paused');
  expectStatus(await stage.docker('POST', `/containers/${id}/kill`), 204);
}

describe.each(['process', 'docker-container', 'docker-existing'] as const)('%s', (place) => {
  scenario(
    'a paused replica goes on, outlives a restart of the proxy, and is replaced when it was killed',
    async (stage) => {
      const app = await stage.app('app', { place, standby: 'paused', service: { onExit: 'keep' } });
      const is = async (proxy: RunningProxy, state: ReplicaState): Promise<boolean> =>
        (await proxy.service(app.name)).replicas[0]?.state === state;
      const answered = async (proxy: RunningProxy): Promise<void> => {
        expect((await proxy.request({ host: app.host })).status).toBe(200);
      };
      const sleeps = async (proxy: RunningProxy): Promise<void> => {
        await proxy.sleep(app.name);
        await until('it is paused', () => is(proxy, 'paused'));
      };

      const proxy = await stage.proxy({ apps: [app] });
      await answered(proxy);
      await sleeps(proxy);
      await answered(proxy);
      expect(await proxy.metric('pilotlight_resumes_total', { outcome: 'ready' })).toBe(1);
      await sleeps(proxy);

      await proxy.stop();
      const next = await stage.proxy({ apps: [app], successorOf: proxy });
      await until('it is found paused', () => is(next, 'paused'));
      await answered(next);
      expect(app.log.boots()).toHaveLength(1);
      expect(app.log.events('term')).toEqual([]);

      await sleeps(next);
      await kill(stage, place, app.log.events('boot').at(-1));
      await until('its end is noticed', () => is(next, 'stopped'));
      await answered(next);
      expect(app.log.boots()).toHaveLength(2);
    },
  );
});
