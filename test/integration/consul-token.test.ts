import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, expect, inject, onTestFinished, test, vi } from 'vitest';
import { demoService, logOf, type Place, type Program, place, serve } from '../main/program.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { until } from '../support/until.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const MASTER = 'b1a5e000-0000-4000-8000-000000000002';

let agent: ConsulAgent;
beforeAll(async () => {
  agent = await ConsulAgent.start(inject('consulBinary'), { master: MASTER });
});
afterAll(() => agent.stop());

async function call<T>(path: string, body?: object, method = 'PUT'): Promise<T> {
  const init = { method, headers: { 'X-Consul-Token': MASTER } };
  const answer = await fetch(`${agent.address}/v1/${path}`, body ? { ...init, body: JSON.stringify(body) } : init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Consul answers ${answer.status}: ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

interface Token {
  SecretID: string;
  AccessorID: string;
}

/** An upstream that names itself. @returns its port */
async function upstream(name: string): Promise<number> {
  const server = createServer((_, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A proxy whose `hello` is registered, and which follows `shop`; its token can be exchanged for another one. */
async function world(shop: string) {
  const Name = `policy-${shop}`;
  const Rules = 'service_prefix "" { policy = "write" } node_prefix "" { policy = "read" }';
  await call('acl/policy', { Name, Rules });
  const issue = () => call<Token>('acl/token', { Policies: [{ Name }] });
  const add = async (name: string) =>
    call('agent/service/register', {
      ID: `${shop}-${name}`,
      Name: shop,
      Address: '127.0.0.1',
      Port: await upstream(name),
    });
  await add('first');
  let token = await issue();
  const hello = `hello-${shop}`;
  const at = await place();
  const write = () =>
    at.write({
      consul: { address: agent.address, token: token.SecretID, register: 'edge', advertise: '127.0.0.1' },
      services: {
        [shop]: { routes: [{ host: 'shop.test' }], endpoints: { consul: { service: shop } } },
        [hello]: { ...demoService('hello'), routes: [{ path: '/hello' }] },
      },
    });
  await write();
  const program = await serve(at);
  const entries = async () =>
    Object.values(await call<Record<string, { Service: string }>>('agent/services', undefined, 'GET')).filter(
      ({ Service }) => Service === hello,
    ).length;
  await until('a registration', async () => (await entries()) === 1);
  return {
    at,
    program,
    add,
    entries,
    /** The token is no more, which a change has the proxy find out. */
    async revoke() {
      await call(`acl/token/${token.AccessorID}`, undefined, 'DELETE');
      await add('first');
    },
    async rotate() {
      token = await issue();
      await write();
    },
  };
}

/** A connection that stays; who answers on it. */
function visitor({ port }: Place) {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (more) => {
    text += more;
  });
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return {
    async ask(): Promise<string> {
      text = '';
      socket.write('GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n');
      await until('an answer', () => /\r\n\r\n./.test(text));
      return text.slice(text.indexOf('\r\n\r\n') + 4);
    },
  };
}

const said = (program: Program, words: string) => logOf(program).filter(({ msg }) => String(msg).includes(words));

/** Who answers, of many requests. */
async function answering(at: Place): Promise<string[]> {
  const { ask } = visitor(at);
  const names = new Set<string>();
  for (let i = 0; i < 20; i++) names.add(await ask());
  return [...names].sort();
}

test('another token in the file takes effect by a reload: nothing closes, the registration is neither lost nor doubled', async () => {
  const { at, program, add, entries, revoke, rotate } = await world('reloaded');
  const guest = visitor(at);
  expect(await guest.ask()).toBe('first');
  await revoke();
  await until('a refusal', () => said(program, 'status 403').length > 0);
  expect(await guest.ask()).toBe('first');
  await rotate();
  program.child.kill('SIGHUP');
  await until('contact again', () => said(program, 'answers again').length > 0);
  expect(said(program, 'configuration reloaded')[0]?.['msg']).toContain('consul.token');
  await add('second');
  await until('the second one', async () => (await answering(at)).join() === 'first,second');
  expect(await guest.ask()).toMatch(/first|second/);
  expect(await entries()).toBe(1);
  // Questions were asked for some time and many times; each kind of trouble is a line.
  expect(said(program, 'answers with status 403').length).toBe(1);
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  // The rights of the first token would not have been enough.
  expect(await entries()).toBe(0);
});

test('another token in the file takes effect by an upgrade', async () => {
  const { at, program, add, entries, revoke, rotate } = await world('upgraded');
  await revoke();
  await until('a refusal', () => said(program, 'status 403').length > 0);
  await rotate();
  program.child.kill('SIGUSR2');
  await until('the end of the first', () => program.child.exitCode === 0);
  const pid = Number(/"event":"upgraded".*?"pid":(\d+)/.exec(program.stderr)?.[1]);
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGTERM');
    } catch {}
  });
  await add('second');
  await until('the second one', async () => (await answering(at)).join() === 'first,second');
  expect(await entries()).toBe(1);
});
