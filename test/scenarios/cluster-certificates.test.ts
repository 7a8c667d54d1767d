import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createSharedValues } from '../../src/discovery/consul/shared-values.ts';
import type { CertificateStatus } from '../../src/model/certificates.ts';
import type { ClusterStatus } from '../../src/model/cluster.ts';
import { systemClock } from '../../src/util/clock.ts';
import { logOf, type Place, type Program, pilotlight, place } from '../main/program.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { freePort } from '../support/free-port.ts';
import { Pebble } from '../support/pebble.ts';
import { Relay } from '../support/relay.ts';
import { until } from '../support/until.ts';

const HOST = 'shop.test';
/** A certificate lasts so long: it is renewed when a third is left, s. */
const VALID_S = 30;

interface Member extends Place {
  program: Program;
  name: string;
  secure: number;
  plain: number;
}

/** The configuration of a member. @param routes of its one service */
const config = ({ name, secure, plain }: Omit<Member, 'program'>, consul: string, acme: object, routes: object[]) => ({
  listen: [
    { name: 'public', address: `127.0.0.1:${secure}`, tls: { acme } },
    { address: `127.0.0.1:${plain}`, redirectToHttps: true },
  ],
  consul: { address: consul },
  cluster: { name: 'edge', advertise: name, secret: 'a-secret-of-many-characters', ttl: '2s', lease: '1s' },
  services: { shop: { routes, endpoints: { static: ['127.0.0.1:1'] } } },
});

/** A connection whose handshake is over. */
function handshake({ secure }: Member, more: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { port: secure, host: '127.0.0.1', servername: HOST, rejectUnauthorized: false, ...more };
    const socket = connect(options, () => resolve(socket));
    socket.on('error', reject);
  });
}

/** Serial number of the certificate that a member shows; undefined: none for the host. */
async function shown(member: Member): Promise<string | undefined> {
  const socket = await handshake(member).catch(() => undefined);
  const certificate = socket?.getPeerX509Certificate();
  socket?.destroy();
  return certificate?.subjectAltName === `DNS:${HOST}` ? certificate.serialNumber : undefined;
}

/** Whether a member goes on with a session, of TLS 1.2: its ticket comes within the handshake. */
async function resumes(member: Member, session: Buffer | undefined): Promise<boolean> {
  const socket = await handshake(member, { maxVersion: 'TLSv1.2', ...(session && { session }) });
  const isReused = socket.isSessionReused();
  socket.destroy();
  return isReused;
}

const ask = async <Answer>({ admin }: Place, path: string) => (await (await fetch(`${admin}${path}`)).json()) as Answer;
const events = (members: Member[], event: string) =>
  members.flatMap(({ program }) => logOf(program).filter((line) => line['event'] === event));

async function leaderOf(members: Member[]): Promise<Member> {
  let leader: Member | undefined;
  await until('all know who orders', async () => {
    const standings = await Promise.all(
      members.map((each) => ask<{ cluster: ClusterStatus }>(each, '/v1/cluster').catch(() => undefined)),
    );
    const names = new Set(standings.map((standing) => standing?.cluster.orders));
    leader = members.find(({ name }) => names.size === 1 && names.has(name));
    return leader !== undefined;
  });
  return leader as Member;
}

/** What a member keeps of the account with the authority. */
function accountOf({ folder }: Place): string {
  const acme = join(folder, 'state/acme');
  return readFileSync(join(acme, readdirSync(acme)[0] ?? '', 'account.json'), 'utf8');
}

test('one of three proxies orders, any of them proves, all serve and resume, and the next leader renews by the same account', async () => {
  const [asked, consul] = [await freePort(), await ConsulAgent.start(inject('consulBinary'))];
  onTestFinished(() => consul.stop());
  const pebble = await Pebble.start({ httpPort: asked, tlsPort: asked, validityS: VALID_S });
  onTestFinished(() => pebble.stop());
  const acme = { directory: pebble.directory, ca: pebble.ca, email: 'ops@shop.test' };
  const members = await Promise.all(
    Array.from({ length: 3 }, async (): Promise<Member> => {
      const at = await place();
      const own = { ...at, secure: await freePort(), plain: await freePort(), name: `127.0.0.1:${await freePort()}` };
      await at.write(config(own, consul.address, acme, [{ path: '/' }]));
      return { ...own, program: pilotlight(['run', '-c', at.file]) };
    }),
  );
  const leader = await leaderOf(members);
  const others = members.filter((each) => each !== leader);
  const [proving] = others as [Member];
  const standing = await ask<{ cluster: ClusterStatus }>(proving, '/v1/cluster');
  expect(standing.cluster.leader?.member).toBe(leader.name);

  // The authority reaches one that does not lead, and no other.
  const line = await Relay.open({ port: asked }, { port: proving.plain });
  onTestFinished(() => line.cut());
  for (const each of [...others, leader]) {
    await each.write(config(each, consul.address, acme, [{ host: HOST }]));
    expect((await fetch(`${each.admin}/v1/reload`, { method: 'POST' })).status).toBe(200);
  }
  await until('all serve the same', async () => {
    const serials = new Set(await Promise.all(members.map(shown)));
    return serials.size === 1 && !serials.has(undefined);
  });
  const serial = await shown(leader);
  expect(line.requests.filter(({ line }) => line.includes('/.well-known/acme-challenge/'))).not.toEqual([]);
  expect(events(members, 'certificate-issued')).toHaveLength(1);
  expect(events(members, 'certificate-failed')).toEqual([]);
  const certificates = await ask<CertificateStatus[]>(proving, '/v1/certificates');
  expect(certificates[0]?.order).toMatchObject({ state: 'served', by: leader.name });

  // What Consul has is of no use to who reads it.
  const kept = await fetch(`${consul.address}/v1/kv/pilotlight/edge.secrets/?recurse`);
  const entries = (await kept.json()) as { Key: string; Value: string }[];
  expect(entries.map(({ Key }) => Key.split('/').at(-1)).sort()).toEqual([
    'account.json',
    `${HOST}.pem`,
    'ticket-keys',
  ]);
  for (const { Value } of entries) expect(Buffer.from(Value, 'base64').toString()).toMatch(/^pilotlight-1:[\w-]+$/);

  const first = await handshake(leader, { maxVersion: 'TLSv1.2' });
  const session = first.getSession();
  first.destroy();
  expect(await Promise.all(members.map((each) => resumes(each, session)))).toEqual([true, true, true]);

  // Nobody but who has the lock, at the index that it has it at, changes what is kept.
  const { leader: held } = standing.cluster;
  const settings = { address: consul.address, token: undefined, register: false as const, advertise: undefined };
  const values = createSharedValues({ settings, name: 'edge', clock: systemClock });
  const [index, { signal }] = [held?.index ?? 0, new AbortController()];
  expect(await values.write('ticket-keys', 'x', index - 1, signal)).toBe(false);
  expect(await values.write('probe', 'x', index, signal)).toBe(true);
  expect((await values.read(signal)).get('probe')).toBe('x');
  expect(await values.write('probe', undefined, index, signal)).toBe(true);

  const account = accountOf(leader);
  leader.program.child.kill('SIGKILL');
  expect((await Promise.all(others.map(shown))).every((each) => each !== undefined)).toBe(true);
  const next = await leaderOf(others);
  await until('both serve another one', async () => {
    const [one, two] = await Promise.all(others.map(shown));
    return one === two && one !== undefined && one !== serial;
  });
  expect(events(others, 'certificate-ordered')).toEqual([]);
  expect(events(others, 'certificate-renewed').length).toBeGreaterThan(0);
  expect(
    events(
      others.filter((each) => each !== next),
      'certificate-renewed',
    ),
  ).toEqual([]);
  for (const each of others) expect(accountOf(each)).toBe(account);
  expect(await Promise.all(others.map((each) => resumes(each, session)))).toEqual([true, true]);
  for (const { program } of members) expect(program.stderr).not.toContain('PRIVATE KEY');
});
