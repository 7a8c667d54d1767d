import type Docker from 'dockerode';
import { expect, test } from 'vitest';
import type { Instance } from '../../../src/model/runtime.ts';
import { ContainerKills } from '../../../src/runtime/docker/kills.ts';

const STARTED = 1_000_000;

function judge(kill: [signal: string, at: number] | undefined, change: Partial<Instance> & { own?: string } = {}) {
  const { own, ...rest } = change;
  const kills = new ContainerKills();
  if (kill !== undefined) kills.note('c1', ...kill);
  const instance: Instance = {
    id: 'c1',
    service: 'shop',
    ordinal: 1,
    hash: 'h',
    state: 'stopped',
    address: undefined,
    startedAt: STARTED,
    health: 'none',
    exitCode: 1,
    ...rest,
  };
  const info = { Id: 'c1', State: { ExitCode: instance.exitCode }, Config: { StopSignal: own } };
  return kills.endedByHand(info as unknown as Docker.ContainerInspectInfo, instance);
}

test.each([
  ['a stop', ['15', STARTED + 1], {}, 'yes'],
  ['a kill, by name', ['SIGKILL', STARTED + 1], { exitCode: 137 }, 'yes'],
  ['a stop whose app ends as it likes', ['15', STARTED + 1], { exitCode: 3 }, 'yes'],
  ["a stop by the image's own signal", ['28', STARTED + 1], { own: 'SIGWINCH' }, 'yes'],
  ['a restart, seen when the next run is there', ['15', STARTED - 2000], { state: 'running' }, 'yes'],
  ['a pause', undefined, { state: 'paused' }, 'yes'],
  ['a crash', undefined, {}, undefined],
  ['a crash after a stop of the run before', ['15', STARTED - 1], {}, undefined],
  ['a crash after a signal to reload', ['1', STARTED + 1], {}, undefined],
  ['a crash that a restart policy made good', undefined, { state: 'running' }, undefined],
  ['an end for want of memory', undefined, { outOfMemory: 'yes', exitCode: 137 }, undefined],
  ['an end in order', undefined, { exitCode: 0 }, 'perhaps'],
  ['a signal past the engine', undefined, { exitCode: 143 }, 'perhaps'],
] as [string, [string, number] | undefined, Partial<Instance> & { own?: string }, Instance['endedByHand']][])(
  'whether somebody did it: %s',
  (_what, kill, change, verdict) => {
    expect(judge(kill, change)).toBe(verdict);
  },
);

test('a container that is gone is forgotten', () => {
  const kills = new ContainerKills();
  kills.note('c1', '15', STARTED + 1);
  kills.forget('c1');
  const info = { Id: 'c1', State: { ExitCode: 1 }, Config: {} } as unknown as Docker.ContainerInspectInfo;
  expect(kills.endedByHand(info, { state: 'stopped', startedAt: STARTED } as Instance)).toBeUndefined();
});
