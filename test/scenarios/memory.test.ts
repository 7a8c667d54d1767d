import { describe, expect } from 'vitest';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const MIB = 2 ** 20;

describe.each(['process', 'docker-container'] as const)('%s', (place) => {
  scenario('a wake that needs room has a paused replica go, which is measured by what it takes', async (stage) => {
    const first = await stage.app('first', { place, standby: 'paused' });
    const second = await stage.app('second', { place });
    const settings = (memory: string) => ({ apps: [first, second], config: { budget: { memory } } });
    const proxy = await stage.proxy(settings('1GiB'));
    const replica = async () => (await proxy.service(first.name)).replicas[0];
    const used = () => proxy.metric('pilotlight_memory_used_bytes');

    expect((await proxy.request({ host: first.host })).status).toBe(200);
    await until('it is measured', async () => ((await replica())?.memoryMiB ?? 0) > 2);
    const takes = (await replica())?.memoryMiB ?? 0;
    await until('what is used is what it takes', async () => Math.abs((await used()) / MIB - takes) < 1);
    // Another of which nothing is known counts with as much: there is no room for both.
    const budget = Math.ceil(1.5 * takes);
    await proxy.reload(stage.config(settings(`${budget}MiB`)));
    await proxy.untilTold('reloaded');
    expect(await proxy.metric('pilotlight_memory_budget_bytes')).toBe(budget * MIB);
    await proxy.sleep(first.name);
    await until('it is paused', async () => (await replica())?.state === 'paused');

    expect((await proxy.request({ host: second.host })).status).toBe(200);
    const { message } = await proxy.untilTold('dropped');
    expect(message).toMatch(
      /^first stopping first-1, paused until now: cheapest to lose \(\d+ MiB, wakes 1 an hour, start [\d.]+ s\), to make room for second$/,
    );
    await until('it has ended', () => first.log.events('term').length === 1);
    expect((await proxy.request({ host: first.host })).status).toBe(200);
    expect(first.log.boots()).toHaveLength(2);
  });
});
