import { expect, test } from 'vitest';
import { MAX_WATCHERS } from '../../../src/edge/exchange/progress-stream.ts';
import { PROGRESS_PREFIX } from '../../../src/edge/hold/waiting-page.ts';
import { EdgeHarness } from '../edge-harness.ts';

test('more waiting pages than are told of progress are turned away, and do not wake the service', async () => {
  const harness = await EdgeHarness.start();
  harness.state({ starting: true });
  for (let opened = 0; opened < MAX_WATCHERS; opened++) {
    const client = await harness.connect();
    client.get(`${PROGRESS_PREFIX}/`);
    expect(await client.head()).toContain(' 200 ');
  }
  const late = await harness.connect();
  late.get(`${PROGRESS_PREFIX}/`);
  const answer = await late.answer();
  expect(answer.status).toBe(503);
  expect(answer.fields['retry-after']).toEqual(['1']);
  expect(harness.all('demand')).toEqual([]);
});
