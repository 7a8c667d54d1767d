import { describe, expect, test } from 'vitest';
import { readArguments } from '../../src/cli/args.ts';

const read = (line: string) => readArguments(line.split(' '));

describe('understood', () => {
  test.each([
    ['run', { command: 'run', operands: [], given: {} }],
    ['run -c a.yaml', { command: 'run', operands: [], given: { config: 'a.yaml' } }],
    ['-c a.yaml run', { command: 'run', operands: [], given: { config: 'a.yaml' } }],
    ['run --config=a.yaml', { command: 'run', operands: [], given: { config: 'a.yaml' } }],
    ['run --log-level debug', { command: 'run', operands: [], given: { 'log-level': 'debug' } }],
    ['check --json', { command: 'check', operands: [], given: { json: true } }],
    ['status --json --watch', { command: 'status', operands: [], given: { json: true, watch: true } }],
    ['status --token=-x', { command: 'status', operands: [], given: { token: '-x' } }],
    ['wake shop', { command: 'wake', operands: ['shop'], given: {} }],
    ['sleep shop --admin URL', { command: 'sleep', operands: ['shop'], given: { admin: 'URL' } }],
    ['help', { command: 'help', operands: [], given: {} }],
    ['help run', { command: 'help', operands: ['run'], given: {} }],
    ['run --help', { command: 'help', operands: ['run'], given: {} }],
    ['-h', { command: 'help', operands: [], given: {} }],
    ['--version', { command: 'version', operands: [], given: {} }],
    ['-v', { command: 'version', operands: [], given: {} }],
  ])('%s', (line, invocation) => {
    expect(read(line)).toEqual(invocation);
  });
});

describe('wrong usage is one line that says what was meant', () => {
  test.each([
    ['runn', 'unknown command "runn" (did you mean "run"?)'],
    ['stats', 'unknown command "stats" (did you mean "status"?)'],
    ['xyzzy', 'unknown command "xyzzy"; "pilotlight help" lists them'],
    ['constructor', 'unknown command "constructor"; "pilotlight help" lists them'],
    ['status --jsno', 'unknown option "--jsno" (did you mean "--json"?)'],
    ['status --constructor', 'unknown option "--constructor"'],
    ['run -x', 'unknown option "-x"'],
    ['run --json', '"run" has no option "--json"'],
    ['run --watch', '"run" has no option "--watch"'],
    ['check --json=yes', '--json takes no value'],
    ['status --admin', '--admin needs a value: URL'],
    ['status --admin --json', '--admin needs a value: URL'],
    ['status --token=', '--token needs a value: TOKEN'],
    ['run -c', '-c needs a value: FILE'],
    ['wake', '"wake" needs a SERVICE'],
    ['wake shop blog', '"wake" does not take "blog"'],
    ['run now', '"run" does not take "now"'],
  ])('%s', (line, message) => {
    let thrown: unknown;
    try {
      read(line);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'USAGE', message });
  });

  test('nothing at all', () => {
    expect(() => readArguments([])).toThrow('a command is missing; "pilotlight help" lists them');
  });
});
