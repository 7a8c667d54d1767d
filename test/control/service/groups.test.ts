import { describe, expect, test } from 'vitest';
import { type GroupState, Groups, type Member, nextGroupState } from '../../../src/control/service/groups.ts';
import type { ServiceSettings } from '../../../src/model/settings.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const asleep: GroupState = { state: 'asleep', left: new Set() };
const member = (name: string, changes: Partial<Member> = {}): Member => ({
  name,
  isAsked: false,
  isBusy: false,
  isUp: false,
  isThere: false,
  follows: false,
  idleSince: 0,
  keepMs: 1000,
  ...changes,
});

describe('a group', () => {
  test('wakes with the first of its services that is asked for', () => {
    expect(nextGroupState(asleep, [member('web'), member('db')], 0)).toEqual(asleep);
    expect(nextGroupState(asleep, [member('web', { isAsked: true }), member('db')], 0).state).toBe('awake');
  });

  test('wakes when somebody else starts one of them', () => {
    expect(nextGroupState(asleep, [member('web', { isUp: true })], 0).state).toBe('awake');
  });

  test('sleeps when the last of them has been idle for its time, and not before', () => {
    const services = [
      member('web', { isUp: true, idleSince: 500 }),
      member('api', { isUp: true, idleSince: 0 }),
      member('db', { isUp: true, follows: true, idleSince: 5000, keepMs: 'never' }),
    ];
    expect(nextGroupState({ state: 'awake' }, services, 1499).state).toBe('awake');
    expect(nextGroupState({ state: 'awake' }, services, 1500)).toEqual({
      state: 'asleep',
      left: new Set(['web', 'api', 'db']),
    });
  });

  test('is not woken by what still ends', () => {
    const ending: GroupState = { state: 'asleep', left: new Set(['db']) };
    expect(nextGroupState(ending, [member('db', { isUp: true })], 0).state).toBe('asleep');
    const ended = nextGroupState(ending, [member('db')], 0);
    expect(nextGroupState(ended, [member('db', { isUp: true })], 0).state).toBe('awake');
  });

  test('never sleeps where one of them never does, or is in use', () => {
    for (const changes of [{ keepMs: 'never' as const }, { isBusy: true }]) {
      const services = [member('web', { isUp: true }), member('api', { isUp: true, ...changes })];
      expect(nextGroupState({ state: 'awake' }, services, 1e9).state).toBe('awake');
    }
  });

  test('starts each of its services after those that it names, and ends it before them', () => {
    const state: Record<string, Member> = { web: member('web'), db: member('db', { follows: true }) };
    const looks: string[] = [];
    const groups = new Groups(
      (name) => ({ member: () => state[name] as Member, look: () => looks.push(name) }),
      () => 0,
    );
    groups.configure([
      { name: 'web', group: 'shop', after: ['db'] },
      { name: 'db', group: 'shop' },
      { name: 'alone' },
    ] as ServiceSettings[]);
    expect(groups.viewOf('alone')).toBeUndefined();
    expect(groups.viewOf('web')).toEqual({ min: 0, mayStart: false, isNeeded: false });
    state['web'] = member('web', { isAsked: true });
    groups.looked('web');
    expect(looks).toEqual(['web', 'db']);
    expect(groups.viewOf('db')).toEqual({ min: 1, mayStart: true, isNeeded: false });
    state['db'] = member('db', { follows: true, isUp: true });
    groups.looked('db');
    expect(groups.viewOf('web')).toEqual({ min: 1, mayStart: true, isNeeded: false });
    state['web'] = member('web', { isThere: true });
    expect(groups.viewOf('db')?.isNeeded).toBe(true);
  });
});

test('one that is started for its group says so', async () => {
  const web = { ...testService('web'), group: 'shop', after: ['db'] };
  const db = { ...testService('db'), group: 'shop' };
  const world = await World.started([web, db]);
  world.edge.request('web');
  await world.run(2000);
  expect(world.messagesOf('waking')).toEqual([
    'db waking (its group is awake)',
    expect.stringMatching(/^web waking \(.*request/),
  ]);
  expect((await world.status('db')).lastDecision).toMatchObject({ from: 0, to: 1, reason: 'its group is awake' });
});
