import type { ScaleByHand, ServiceStatus } from '../model/status.ts';
import { act, ofService } from './api.ts';
import { confirm } from './confirm.ts';
import { h } from './dom.ts';
import { duration } from './format.ts';
import { readyOf } from './service-filter.ts';

/** The buttons by which a service is changed, each behind a question. */
export function actionButtons(
  name: string,
  now: () => ServiceStatus | undefined,
): { element: HTMLElement; update(): void } {
  const button = (label: string, onclick: () => void) => h('button', { type: 'button', onclick }, label);
  const wake = button('Wake', () => askWake(name));
  const sleep = button('Sleep', () => askSleep(name, now()));
  const scale = button('Scale…', () => askScale(name, now()));
  const freeze = button('Freeze…', () => askFreeze(name));
  const unfreeze = button('Unfreeze', () => askUnfreeze(name));
  return {
    element: h(
      'p',
      { class: 'buttons', role: 'group', 'aria-label': `Change ${name}` },
      wake,
      sleep,
      scale,
      freeze,
      unfreeze,
    ),
    update() {
      const service = now();
      // What others run cannot be changed from here.
      const isOurs = service !== undefined && service.threshold !== null;
      for (const each of [wake, sleep, scale, freeze, unfreeze]) each.disabled = !isOurs;
      wake.hidden = service !== undefined && readyOf(service) > 0;
      sleep.hidden = service?.state === 'asleep';
      freeze.hidden = service?.frozen != null;
      unfreeze.hidden = !freeze.hidden;
    },
  };
}

function askWake(name: string): void {
  confirm({
    title: `Wake ${name}?`,
    text: 'It is started now, and goes to sleep again once it is idle.',
    yes: 'Wake',
    act: () => act(ofService(name, 'wake')),
  });
}

function askSleep(name: string, service: ServiceStatus | undefined): void {
  const inFlight = service?.inFlight ?? 0;
  const finish = inFlight === 0 ? '' : ` ${inFlight} in flight are finished first.`;
  confirm({
    title: `Put ${name} to sleep?`,
    text: `All its replicas retire.${finish} The next request wakes it.`,
    yes: 'Sleep',
    act: () => act(ofService(name, 'sleep')),
  });
}

function askScale(name: string, service: ServiceStatus | undefined): void {
  const replicas = h('input', {
    type: 'number',
    id: 'replicas',
    min: 0,
    step: 1,
    required: true,
    value: service === undefined ? 1 : readyOf(service),
  });
  const scale = (dryRun: boolean) =>
    act<ScaleByHand>(ofService(name, 'scale'), { replicas: Number(replicas.value), dryRun });
  confirm({
    title: `Scale ${name}`,
    text: 'So many replicas run from now on; 0 puts it to sleep.',
    yes: 'Scale',
    fields: [h('p', {}, h('label', { for: 'replicas' }, 'Replicas '), replicas)],
    preview: () => (replicas.value === '' ? undefined : scale(true).then(scaleText)),
    act: () => scale(false),
  });
}

function scaleText({ from, to, min, max, limits, cooldownMs }: ScaleByHand): string {
  const bounds = `${from}→${to}, within ${min} to ${max}.`;
  const left = ` The scaler leaves it alone for ${duration(cooldownMs)}.`;
  return [bounds, left, ...limits.map((limit) => ` ${limit}.`)].join('');
}

function askFreeze(name: string): void {
  const time = h(
    'select',
    { id: 'freeze-for' },
    ...['15m', '1h', '4h', '24h'].map((each) => h('option', { value: each, selected: each === '1h' }, each)),
  );
  const reason = h('input', { id: 'freeze-reason', maxlength: 200, autocomplete: 'off' });
  confirm({
    title: `Freeze ${name}?`,
    text: 'It is neither scaled nor put to sleep meanwhile. Requests still wake it.',
    yes: 'Freeze',
    fields: [
      h('p', {}, h('label', { for: 'freeze-for' }, 'For '), time),
      h('p', {}, h('label', { for: 'freeze-reason' }, 'Reason '), reason),
    ],
    act: () =>
      act(ofService(name, 'freeze'), { for: time.value, ...(reason.value !== '' && { reason: reason.value }) }),
  });
}

function askUnfreeze(name: string): void {
  confirm({
    title: `Unfreeze ${name}?`,
    text: 'From now on it is scaled and put to sleep again as configured.',
    yes: 'Unfreeze',
    act: () => act(ofService(name, 'unfreeze')),
  });
}
