/** How times are written, an example each. */
export const TIME_FORMS = [
  '20ms',
  'exponential:20ms',
  'log-normal:20ms:0.6',
  'pareto:5ms:1.5:2s',
  'uniform:10ms:50ms',
] as const;

/** Every form of `--load`, an example each; rates are requests per second. */
export const LOAD_FORMS = [
  'constant:20',
  'step:10,150@60s,10@3m',
  'ramp:8..160/2m',
  'sine:7..117/10m',
  'spike:10..200@60s/3s',
  'closed:50,think:1s',
  'constant:20 for 2m then ramp:20..80/5m for 10m then constant:20',
] as const;

/** Every part of `--app`, an example each. */
export const APP_FORMS = [
  'time:exponential:20ms',
  'later:200ms@5m',
  'slots:1',
  'cpu',
  'lock',
  'database:5',
  'shed:20',
  'errors:50%:800ms',
  'start:1.5s',
  'start-fails:30%',
  'stop:100ms',
  'warm-up:3x/10s',
  'crash:30s:every:3',
  'sick:1m:errors:first:1',
] as const;

/** Every rival of `--against`, an example each. */
export const RIVAL_FORMS = ['kpa', 'hpa', 'fixed:3'] as const;
