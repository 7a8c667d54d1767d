/**
 * Runs the conformance tables against this proxy, with both of its engines, and against others side by side:
 * `npm run conformance -- [--against haproxy,nginx] [--details] [--write]`. Exits 1 where this proxy fails a row.
 */
import { parseArgs } from 'node:util';
import { externals, startExternal } from './compare/external.ts';
import { startPilotlight } from './compare/pilotlight.ts';
import { markdown, plain, type Scored, table } from './compare/report.ts';
import { score } from './compare/score.ts';
import { OURS, type Subject } from './compare/subject.ts';
import { writeDocument } from './document.ts';

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

async function measure(start: () => Promise<Subject>): Promise<Scored> {
  const subject = await start();
  try {
    return { subject, marks: await score(subject) };
  } finally {
    await subject.stop();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      against: { type: 'string', default: '' },
      details: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const names = values.against.split(',').filter((name) => name !== '');
  const unknown = names.filter((name) => externals[name] === undefined);
  if (unknown.length > 0) {
    say(`unknown: ${unknown.join(', ')}; there are ${Object.keys(externals).join(', ')}`);
    return 2;
  }
  const scored = [await measure(() => startPilotlight('native')), await measure(() => startPilotlight('http-proxy'))];
  for (const name of names) {
    const external = externals[name];
    if (external !== undefined) scored.push(await measure(() => startExternal(external, say)));
  }
  say(plain(table(scored)));
  for (const { subject, marks } of scored) {
    for (const { risk, row, complaints } of marks) {
      if (complaints.length === 0 || (!values.details && subject.name !== OURS)) continue;
      say(`${subject.name} · ${risk} · ${row.rule} · ${row.name}: ${complaints.join('; ')}`);
    }
  }
  if (values.write) await writeDocument(names.length > 0 ? markdown(scored) : undefined);
  return scored[0]?.marks.every(({ complaints }) => complaints.length === 0) === true ? 0 : 1;
}

process.exitCode = await main();
