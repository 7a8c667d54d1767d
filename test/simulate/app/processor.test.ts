import { expect, test } from 'vitest';
import { Agenda } from '../../../src/simulate/agenda.ts';
import { Processor } from '../../../src/simulate/app/processor.ts';
import { SimulatedRequest, Work } from '../../../src/simulate/request.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

test('requests that share a processor take as long as all of their work together', async () => {
  const agenda = new Agenda(new VirtualClock());
  const ends: [workMs: number, at: number][] = [];
  const processor = new Processor(agenda, ({ request }) => ends.push([request.workMs, agenda.now]));
  const add = (ms: number) => processor.add(new Work(new SimulatedRequest(0, ms, 0, false, -1), { onDue() {} }), ms);
  add(100);
  add(300);
  await agenda.run(50);
  add(20);
  await agenda.run(1000);
  // Until 50 each of two has had 25; then three share: 20 more for the third until 110; then 55 remain for the first.
  expect(ends).toEqual([
    [20, 110],
    [100, 220],
    [300, 420],
  ]);
});
