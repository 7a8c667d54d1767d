import { expect, test } from 'vitest';
import { DAY_MS, generateServices } from '../../../src/simulate/recycling/generate.ts';
import type { ServiceCalls } from '../../../src/simulate/recycling/workload.ts';

const DAYS = 4;
const services = [...generateServices({ services: 400, days: DAYS, seed: 7 })];

const shareOf = (holds: (service: ServiceCalls) => boolean) => services.filter(holds).length / services.length;
const perDay = ({ at }: ServiceCalls) => at.length / DAYS;

test('the seed decides everything', () => {
  const again = [...generateServices({ services: 20, days: DAYS, seed: 7 })];
  expect(again).toEqual(services.slice(0, 20));
  const other = [...generateServices({ services: 20, days: DAYS, seed: 8 })];
  expect(other).not.toEqual(again);
});

test('calls come in the order of time, within the days', () => {
  for (const { at } of services) {
    expect(at.every((time, index) => time >= 0 && time < DAYS * DAY_MS && time >= (at[index - 1] ?? 0))).toBe(true);
  }
});

test('rates, durations and memory are about as published', () => {
  expect(shareOf((service) => perDay(service) <= 24)).toBeGreaterThan(0.35);
  expect(shareOf((service) => perDay(service) <= 24)).toBeLessThan(0.55);
  expect(shareOf((service) => perDay(service) <= 1440)).toBeGreaterThan(0.72);
  expect(shareOf((service) => perDay(service) <= 1440)).toBeLessThan(0.9);
  expect(shareOf(({ memoryMiB }) => memoryMiB < 170)).toBeGreaterThan(0.4);
  expect(shareOf(({ memoryMiB }) => memoryMiB < 400)).toBeGreaterThan(0.82);
  const mean = ({ durationMs }: ServiceCalls) => durationMs.reduce((sum, ms) => sum + ms, 0) / durationMs.length;
  expect(shareOf((service) => mean(service) < 1000)).toBeGreaterThan(0.4);
});

test('timers are regular, random callers are not, and at night few come to the office', () => {
  const variation = ({ at }: ServiceCalls) => {
    const gaps = [...at].slice(1).map((time, i) => time - (at[i] as number));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    return Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length) / mean;
  };
  const many = services.filter(({ at }) => at.length > 200);
  const of = (caller: string) => many.filter((service) => service.caller === caller);
  const middle = (caller: string) =>
    of(caller)
      .map(variation)
      .sort((a, b) => a - b)[of(caller).length >> 1] as number;
  expect(middle('periodic')).toBeLessThan(0.2);
  expect(middle('poisson')).toBeGreaterThan(0.8);
  expect(middle('poisson')).toBeLessThan(1.2);
  expect(middle('bursty')).toBeGreaterThan(1.2);
  for (const { at } of of('day-night')) {
    const atNight = at.filter((time) => time % DAY_MS < DAY_MS / 4).length;
    expect(atNight / at.length).toBeLessThan(0.05);
  }
});
