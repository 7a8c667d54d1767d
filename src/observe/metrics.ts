import { PilotlightError } from '../model/errors.ts';
import type { Labels, MetricName, Metrics } from '../model/observe.ts';
import { BUCKETS_SECONDS, type MetricKind, metricCatalog } from './metric-catalog.ts';

/** Series of one metric for one service; what comes after is counted under `other`. Status codes alone may be 60. */
const MAX_SERIES_PER_SERVICE = 100;
/** Services of one metric; what comes after is counted under `other`. */
const MAX_SERVICES = 2000;
const FOLDED = 'other';

interface Series {
  /** `{name="value",…}` without the braces, ready to print. */
  labels: string;
  /** The counter's or gauge's value, the histogram's sum. */
  value: number;
  /** Of a histogram: observations per bucket (not cumulative), the last one for all above. */
  buckets: number[];
}

/** Series by service, then by printed labels, so that forgetting a service is one deletion. */
type Family = Map<string, Map<string, Series>>;

/** A registry of the documented metrics, shown in the Prometheus text format 0.0.4 by `render`. */
export function createMetrics(): Metrics & { render(): string } {
  const families = new Map<MetricName, Family>();
  for (const name of Object.keys(metricCatalog) as MetricName[]) families.set(name, new Map());

  const seriesOf = (name: MetricName, type: MetricKind['type'], labels: Labels): Series => {
    const family = families.get(name);
    if (family === undefined || metricCatalog[name].type !== type) {
      throw new PilotlightError('INTERNAL', `${name} is not a ${type}`);
    }
    return findSeries(family, labels, type);
  };

  return {
    count(name, labels, by) {
      if (by >= 0 && Number.isFinite(by)) seriesOf(name, 'counter', labels).value += by;
    },
    gauge(name, labels, value) {
      if (!Number.isNaN(value)) seriesOf(name, 'gauge', labels).value = value;
    },
    observe(name, labels, seconds, count = 1) {
      if (!Number.isFinite(seconds) || !(count > 0)) return;
      const series = seriesOf(name, 'histogram', labels);
      const bucket = bucketOf(seconds);
      series.buckets[bucket] = (series.buckets[bucket] as number) + count;
      series.value += seconds * count;
    },
    forget(service, name) {
      for (const [each, family] of families) if (name === undefined || name === each) family.delete(service);
    },
    render() {
      let text = '';
      for (const [name, family] of families) text += renderFamily(name, family);
      return text;
    },
  };
}

function findSeries(family: Family, labels: Labels, type: MetricKind['type']): Series {
  const { service = '', ...others } = labels;
  const owner = family.has(service) || family.size < MAX_SERVICES ? service : FOLDED;
  let ofService = family.get(owner);
  if (ofService === undefined) {
    ofService = new Map();
    family.set(owner, ofService);
  }
  const wanted = printLabels(owner, others);
  const known = ofService.get(wanted);
  if (known !== undefined) return known;
  const printed = ofService.size < MAX_SERIES_PER_SERVICE ? wanted : printLabels(owner, folded(others));
  const existing = ofService.get(printed);
  if (existing !== undefined) return existing;
  const buckets = type === 'histogram' ? new Array<number>(BUCKETS_SECONDS.length + 1).fill(0) : [];
  const series: Series = { labels: printed, value: 0, buckets };
  ofService.set(printed, series);
  return series;
}

function folded(labels: Labels): Labels {
  return Object.fromEntries(Object.keys(labels).map((name) => [name, FOLDED]));
}

/** Sorted, so that the same labels in another order are the same series. */
function printLabels(service: string, others: Labels): string {
  const pairs = Object.entries(others).sort(([a], [b]) => (a < b ? -1 : 1));
  if (service !== '') pairs.unshift(['service', service]);
  return pairs.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(',');
}

function escapeLabel(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

/** First bucket whose upper edge (inclusive) is not below the value. */
function bucketOf(seconds: number): number {
  const index = BUCKETS_SECONDS.findIndex((edge) => seconds <= edge);
  return index === -1 ? BUCKETS_SECONDS.length : index;
}

function renderFamily(name: MetricName, family: Family): string {
  const { type, help } = metricCatalog[name];
  let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
  for (const ofService of family.values()) {
    for (const series of ofService.values()) {
      text += type === 'histogram' ? renderHistogram(name, series) : line(name, series.labels, series.value);
    }
  }
  return text;
}

function renderHistogram(name: string, series: Series): string {
  let text = '';
  let count = 0;
  series.buckets.forEach((inBucket, index) => {
    count += inBucket;
    const edge = BUCKETS_SECONDS[index] ?? '+Inf';
    text += line(`${name}_bucket`, `${series.labels}${series.labels === '' ? '' : ','}le="${edge}"`, count);
  });
  return text + line(`${name}_sum`, series.labels, series.value) + line(`${name}_count`, series.labels, count);
}

function line(name: string, labels: string, value: number): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${printNumber(value)}\n`;
}

function printNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}
