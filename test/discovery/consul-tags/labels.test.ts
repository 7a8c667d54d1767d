import { expect, test } from 'vitest';
import { labelsOf } from '../../../src/discovery/consul-tags/labels.ts';

const reading = { prefix: 'pilotlight', isForeign: (tag: string) => /^(?:urlprefix-|traefik\.)/.test(tag) };
const read = (tags: string[], meta: Record<string, string> = {}) => labelsOf({ tags, meta }, reading);

test('tags of others, and metadata of others, say nothing', () => {
  expect(read(['live', 'pilotlights.route=a', 'v=1'], { version: '2', pilotlight: 'me' })).toBeUndefined();
});

test('a tag is a label up to its first sign of equality', () => {
  const { labels } = read(['pilotlight.route=a.example/?x=1', 'pilotlight.headers.response.set.X-A=1']) ?? {};
  expect({ ...labels }).toEqual({
    'pilotlight.route': 'a.example/?x=1',
    'pilotlight.headers.response.set.X-A': '1',
  });
});

test('the prefix alone turns the service on', () => {
  expect({ ...read(['pilotlight'])?.labels }).toEqual({ 'pilotlight.enable': 'true' });
});

test('tags of other programs stay whole where names have no such characters', () => {
  const tag = 'urlprefix-a.example/api strip=/api';
  expect({ ...read([tag, 'traefik.http.routers.r.rule=Host(`a`)'])?.labels }).toEqual({
    [tag]: '',
    'traefik.http.routers.r.rule': 'Host(`a`)',
  });
});

test('metadata goes over tags, and is told by its own key', () => {
  const found = read(['pilotlight.scale.idle=1m', 'pilotlight.route=a'], { pilotlight_scale_idle: '2m' });
  expect({ ...found?.labels }).toEqual({ 'pilotlight.scale.idle': '2m', 'pilotlight.route': 'a' });
  expect({ ...found?.meta }).toEqual({ 'pilotlight.scale.idle': 'pilotlight_scale_idle' });
});

test('a tag that says two things, and metadata in another spelling, are faults', () => {
  expect(read(['pilotlight.route=a', 'pilotlight.route=b'])?.faults).toEqual([
    'tag pilotlight.route: expected it once, found a and b',
  ]);
  expect(read([], { 'pilotlight-route': 'a' })?.faults).toEqual([
    'meta pilotlight-route: expected pilotlight_route, with _ in the place of dots',
  ]);
});

test('what is told of faults is bounded', () => {
  const tags = Array.from({ length: 100 }, (_, place) => `pilotlight.route=${'a'.repeat(1000)}${place}`);
  const { faults = [] } = read(tags) ?? {};
  expect(faults).toHaveLength(20);
  expect(faults.join('').length).toBeLessThanOrEqual(20 * 200);
});

test('a prefix of several words has its metadata with _ alone', () => {
  const found = labelsOf({ tags: [], meta: { my_light_eu_route: 'a' } }, { ...reading, prefix: 'my-light.eu' });
  expect({ ...found?.labels }).toEqual({ 'my-light.eu.route': 'a' });
});
