import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MetricName } from '../../src/model/observe.ts';
import { metricCatalog } from '../../src/observe/metric-catalog.ts';
import { createMetrics } from '../../src/observe/metrics.ts';
import { parseExposition } from './exposition.ts';

const names = Object.keys(metricCatalog) as MetricName[];

test('every metric has a HELP and a TYPE line before any sample, and none twice', () => {
  const lines = createMetrics().render().trimEnd().split('\n');
  for (const name of names) {
    expect(lines.filter((line) => line.startsWith(`# HELP ${name} `))).toHaveLength(1);
    expect(lines).toContain(`# TYPE ${name} ${metricCatalog[name].type}`);
  }
  expect(lines).toHaveLength(2 * names.length);
});

test('counters add up, gauges keep the last value', () => {
  const metrics = createMetrics();
  metrics.count('pilotlight_requests_total', { service: 'shop', code: '200' }, 2);
  metrics.count('pilotlight_requests_total', { code: '200', service: 'shop' }, 3);
  metrics.gauge('pilotlight_held', { service: 'shop' }, 7);
  metrics.gauge('pilotlight_held', { service: 'shop' }, 0);
  const { samples } = parseExposition(metrics.render());
  expect(samples).toContainEqual({
    name: 'pilotlight_requests_total',
    labels: { service: 'shop', code: '200' },
    value: 5,
  });
  expect(samples).toContainEqual({ name: 'pilotlight_held', labels: { service: 'shop' }, value: 0 });
});

test('a counter never goes down, and what is not a number is left out', () => {
  const metrics = createMetrics();
  metrics.count('pilotlight_retries_total', { service: 'shop' }, 4);
  metrics.count('pilotlight_retries_total', { service: 'shop' }, -3);
  metrics.count('pilotlight_retries_total', { service: 'shop' }, Number.NaN);
  metrics.gauge('pilotlight_held', { service: 'shop' }, Number.NaN);
  metrics.observe('pilotlight_request_seconds', { service: 'shop' }, Number.NaN);
  expect(parseExposition(metrics.render()).samples).toEqual([
    { name: 'pilotlight_retries_total', labels: { service: 'shop' }, value: 4 },
  ]);
});

test('a metric used as another type is a defect that shows', () => {
  const metrics = createMetrics();
  expect(() => metrics.gauge('pilotlight_requests_total', { service: 'a' }, 1)).toThrow(/not a gauge/);
});

test('a metric without a service has no service label', () => {
  const metrics = createMetrics();
  metrics.gauge('pilotlight_connections', {}, 12);
  expect(metrics.render()).toContain('\npilotlight_connections 12\n');
});

describe('histograms', () => {
  test('an observation counts in its bucket (upper edge inclusive) and in all wider ones', () => {
    const metrics = createMetrics();
    metrics.observe('pilotlight_request_seconds', { service: 'shop' }, 0.1, 3);
    metrics.observe('pilotlight_request_seconds', { service: 'shop' }, 500);
    const text = metrics.render();
    expect(text).toContain('pilotlight_request_seconds_bucket{service="shop",le="0.05"} 0\n');
    expect(text).toContain('pilotlight_request_seconds_bucket{service="shop",le="0.1"} 3\n');
    expect(text).toContain('pilotlight_request_seconds_bucket{service="shop",le="120"} 3\n');
    expect(text).toContain('pilotlight_request_seconds_bucket{service="shop",le="+Inf"} 4\n');
    expect(text).toContain('pilotlight_request_seconds_count{service="shop"} 4\n');
  });

  test('buckets never fall, the last one is the count, the sum is the sum', () => {
    const seconds = fc.double({ min: 0, max: 1000, noNaN: true });
    fc.assert(
      fc.property(fc.array(seconds, { minLength: 1, maxLength: 50 }), (values) => {
        const metrics = createMetrics();
        for (const value of values) metrics.observe('pilotlight_upstream_ttfb_seconds', { service: 's' }, value);
        const { samples } = parseExposition(metrics.render());
        const buckets = samples.filter(({ name }) => name.endsWith('_bucket')).map(({ value }) => value);
        expect(buckets).toEqual([...buckets].sort((a, b) => a - b));
        expect(buckets.at(-1)).toBe(values.length);
        expect(samples.find(({ name }) => name.endsWith('_count'))?.value).toBe(values.length);
        const sum = samples.find(({ name }) => name.endsWith('_sum'))?.value;
        expect(sum).toBeCloseTo(
          values.reduce((total, value) => total + value, 0),
          6,
        );
      }),
    );
  });
});

test('any label value survives printing and reading', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (value) => {
      const metrics = createMetrics();
      metrics.count('pilotlight_start_failures_total', { service: 'shop', cause: value }, 1);
      const { samples } = parseExposition(metrics.render());
      expect(samples).toEqual([
        { name: 'pilotlight_start_failures_total', labels: { service: 'shop', cause: value }, value: 1 },
      ]);
    }),
  );
});

describe('bounded series', () => {
  test('label values without end are folded into one, and nothing is lost', () => {
    const metrics = createMetrics();
    for (let i = 0; i < 5000; i++) {
      metrics.count('pilotlight_requests_total', { service: 'shop', code: `x${i}` }, 1);
    }
    metrics.count('pilotlight_requests_total', { service: 'blog', code: '200' }, 1);
    const { samples } = parseExposition(metrics.render());
    expect(samples.length).toBeLessThan(150);
    expect(samples.reduce((total, { value }) => total + value, 0)).toBe(5001);
    expect(samples.find(({ labels }) => labels['service'] === 'shop' && labels['code'] === 'other')?.value).toBe(4900);
    expect(samples).toContainEqual({
      name: 'pilotlight_requests_total',
      labels: { service: 'blog', code: '200' },
      value: 1,
    });
  });

  test('services without end are folded too', () => {
    const metrics = createMetrics();
    for (let i = 0; i < 3000; i++) metrics.gauge('pilotlight_held', { service: `s${i}` }, 1);
    const { samples } = parseExposition(metrics.render());
    expect(samples.length).toBeLessThanOrEqual(2001);
    expect(samples.at(-1)?.labels).toEqual({ service: 'other' });
  });

  test('a forgotten service leaves no series and makes room', () => {
    const metrics = createMetrics();
    metrics.gauge('pilotlight_held', { service: 'shop' }, 1);
    metrics.observe('pilotlight_request_seconds', { service: 'shop' }, 1);
    metrics.gauge('pilotlight_held', { service: 'blog' }, 2);
    metrics.forget('shop');
    expect(parseExposition(metrics.render()).samples).toEqual([
      { name: 'pilotlight_held', labels: { service: 'blog' }, value: 2 },
    ]);
  });
});
