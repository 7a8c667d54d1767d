import type { ControlMessage, EdgeMessage } from '../model/link.ts';
import { createChannel } from '../util/channel.ts';
import { runHash } from '../util/hash.ts';
import { VirtualClock } from '../util/virtual-clock.ts';
import { Agenda, Call } from './agenda.ts';
import { EdgeModel } from './edge/edge-model.ts';
import { EdgeService, type EdgeServiceContext } from './edge/edge-service.ts';
import { LOAD_BEGINS_MS, type Outcome } from './outcome.ts';
import type { Policy } from './policy.ts';
import { createRandom, streamSeed } from './random.ts';
import { Fleet } from './run/fleet.ts';
import { Ledger } from './run/ledger.ts';
import { pilotlight } from './run/pilotlight.ts';
import { rivalControl } from './run/rival-control.ts';
import { simulatedSettings } from './run/simulated-settings.ts';
import { Traffic } from './run/traffic.ts';
import type { Scenario, SimulatedService } from './scenario.ts';

/** What runs already when the load begins has done so for so long, ms. */
const SETTLING_MS = 30_000;
const SECOND_MS = 1000;

/**
 * Runs a scenario under a policy, on virtual time. The same scenario and policy give the same outcome.
 * @throws Error where the control plane logs an error, as what it does then says nothing
 */
export async function simulate(scenario: Scenario, policy: Policy): Promise<Outcome> {
  const { services, seed, seconds } = scenario;
  const clock = new VirtualClock(LOAD_BEGINS_MS - SETTLING_MS);
  const agenda = new Agenda(clock);
  const fleet = new Fleet(clock, agenda);
  const settings = simulatedSettings(scenario);
  const [controlEnd, edgeEnd] = createChannel<EdgeMessage, ControlMessage>();
  const edges = new Map<string, EdgeService>();
  const post = (message: EdgeMessage) => {
    edgeEnd.post(message);
    agenda.stir();
  };
  const parts = services.map((service) => {
    const { name, scale } = service.settings;
    const stream = (of: string) => createRandom(streamSeed(seed, `${name} ${of}`));
    const ledger = new Ledger(name, scale.latency.quantile, () => conductor.aboveMs(name));
    const policyOf = { ...service.settings, wakeable: true, concurrency: scale.concurrency, shed: scale.shed };
    const onEnded: EdgeServiceContext['onEnded'] = (request) => traffic.onEnded(request);
    const edge = new EdgeService(policyOf, { agenda, fleet, random: stream('picks'), ledger, post, onEnded });
    const traffic = new Traffic(agenda, service, edge, seed);
    edges.set(name, edge);
    fleet.add(service, ledger, edge, stream('starts'));
    launch(fleet, service);
    return { name, ledger, edge, traffic };
  });
  // Neither reports nor looks at them keep step with the load, nor with each other.
  const chance = createRandom(streamSeed(seed, 'control'));
  await agenda.run(chance() * SECOND_MS);
  new EdgeModel(clock, agenda, edgeEnd, fleet, edges);
  await agenda.run(agenda.now + chance() * SECOND_MS);
  const conductor =
    policy === 'pilotlight'
      ? pilotlight(settings, clock, fleet, chance, controlEnd)
      : rivalControl(policy, settings, clock, fleet, controlEnd);

  const started = conductor.start();
  await agenda.run(SETTLING_MS);
  await started;
  for (const { ledger, traffic } of parts) {
    ledger.begin(agenda.now);
    traffic.begin();
  }
  const second = new Call(() => {
    for (const { edge } of parts) edge.endSecond(agenda.now);
    agenda.enter(second, agenda.now + SECOND_MS);
  });
  agenda.enter(second, agenda.now + SECOND_MS);
  await agenda.run(SETTLING_MS + seconds * SECOND_MS);

  for (const { name, ledger } of parts) {
    const decisions = await conductor.decisions(name);
    ledger.outcome.decisions.push(...decisions.filter(({ at }) => Date.parse(at) >= LOAD_BEGINS_MS));
  }
  conductor.end();
  return {
    policy: policy === 'pilotlight' ? policy : policy.name,
    seed,
    services: parts.map(({ ledger }) => ledger.outcome),
  };
}

/** Has the replicas run that are to run from the beginning. */
function launch(fleet: Fleet, { settings, running = settings.scale.min }: SimulatedService): void {
  if (settings.run === undefined) throw new Error(`${settings.name} has no run, so nothing of it can be simulated`);
  const hash = runHash(settings.run);
  for (let ordinal = 1; ordinal <= running; ordinal++) {
    fleet.launch(settings.name, ordinal, hash, 0, SETTLING_MS);
  }
}
