import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { commandNames } from '../../src/cli/commands.ts';
import { completionScript } from '../../src/cli/completion/completion.ts';
import { manualPage } from '../../src/cli/manual.ts';
import { findProgram } from '../support/command.ts';
import { aptInstall } from '../support/debian.ts';

beforeAll(async () => {
  const missing = ['bash', 'zsh', 'fish'].filter((shell) => findProgram(shell) === undefined);
  if (missing.length > 0) await aptInstall(missing);
}, 600_000);

function scriptFile(shell: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-completion-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, shell);
  writeFileSync(file, completionScript(shell));
  return file;
}

/** What bash offers for the last word. */
function offered(...words: string[]): string[] {
  return offeredOf(['blog', 'shop'], words);
}

/** @param services what the running proxy, or whoever stands in its place, says */
function offeredOf(services: readonly string[], words: readonly string[]): string[] {
  const script = [
    `source ${scriptFile('bash')}`,
    `pilotlight() { [ "$1 $2" = "status --names" ] && printf '%s\\n' ${services.map((name) => `'${name}'`).join(' ')}; }`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is bash's own
    'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pilotlight; printf "%s\\n" "${COMPREPLY[@]}"',
  ].join('\n');
  const out = execFileSync('bash', ['-c', script, 'bash', 'pilotlight', ...words], { encoding: 'utf8' });
  return out.split('\n').filter((line) => line !== '');
}

describe('bash', () => {
  test.each([
    [['sta'], ['status']],
    [['status', '--n'], ['--names']],
    [['run', '--log-level', 'd'], ['debug']],
    [
      ['why', ''],
      ['blog', 'shop'],
    ],
    [['--admin', 'http://x', 'why', 's'], ['shop']],
    [['why', 'shop', ''], []],
    [
      ['completion', ''],
      ['bash', 'zsh', 'fish'],
    ],
    [['log-level', 'w'], ['warn']],
  ])('%j → %j', (words, expected) => {
    expect(offered(...words)).toEqual(expected);
  });

  test('what no service may be called is not offered, nor run', () => {
    expect(offeredOf(['shop', '$(echo run >&2)', '$HOME'], ['why', ''])).toEqual(['shop']);
  });

  test('every command is offered', () => {
    expect(offered('')).toEqual([...commandNames, '--help', '--version']);
  });
});

test('zsh understands its script', () => {
  expect(execFileSync('zsh', ['-n', scriptFile('zsh')], { encoding: 'utf8' })).toBe('');
});

test('fish offers services and values', () => {
  const ask = (line: string) => {
    const script = `source ${scriptFile('fish')}; function pilotlight; echo shop; end; complete -C "${line}"`;
    return execFileSync('fish', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
  };
  expect(ask('pilotlight why s')).toEqual(['shop']);
  expect(ask('pilotlight run --log-level de')[0]).toMatch(/^debug/);
});

test('another shell is wrong usage', () => {
  expect(() => completionScript('csh')).toThrow('no completion for "csh": it is one of bash, zsh, fish');
});

test('the manual page names every command, and no line of text is a request of roff', () => {
  const lines = manualPage('1.2.3').split('\n');
  for (const name of commandNames) {
    const bold = `.B ${name.replaceAll('-', '\\-')}`;
    expect(lines.some((line) => line === bold || line.startsWith(`${bold} `))).toBe(true);
  }
  const requests = new Set(lines.filter((line) => /^[.']/.test(line)).map((line) => line.split(' ')[0]));
  expect([...requests].sort()).toEqual(['.B', '.I', '.SH', '.TH', '.TP', '.br', '.fi', '.nf'].sort());
});
