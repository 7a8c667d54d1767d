import { expect, test } from 'vitest';
import { InFlight } from '../../../src/simulate/edge/in-flight.ts';
import { SimulatedRequest } from '../../../src/simulate/request.ts';

const arriving = (at: number) => new SimulatedRequest(at, 1, 0, false, -1);

test('requests in flight are told in the order in which they were sent, with the times of those that are there', () => {
  const requests = Array.from({ length: 40 }, (_, index) => arriving(1000 + index));
  const inFlight = new InFlight();
  for (const request of requests) inFlight.add(request);
  const left = requests.filter((request, index) => {
    const stays = index % 3 !== 0;
    if (!stays) inFlight.remove(request);
    return stays;
  });
  const again = requests[0] as SimulatedRequest;
  again.since = 2000;
  inFlight.add(again);

  expect(inFlight.inOrder()).toEqual([...left, again]);
  expect(inFlight.size).toBe(left.length + 1);
  expect([...inFlight.arrivals].sort()).toEqual([1000, ...left.map(({ arrivedAt }) => arrivedAt)].sort());
  expect(Math.max(...inFlight.sinces)).toBe(2000);

  for (const request of [again, ...left]) inFlight.remove(request);
  expect(inFlight.size).toBe(0);
  expect(inFlight.inOrder()).toEqual([]);
});
