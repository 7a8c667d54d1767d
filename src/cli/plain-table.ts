import Table from 'cli-table3';

/** For tables without lines. */
export const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};

/** Rows under a head, in columns two spaces apart, without lines. @param right columns that are aligned to the right */
export function plainTable(head: string[], rows: readonly string[][], right: readonly string[] = []): string {
  const table = new Table({
    head,
    colAligns: head.map((name) => (right.includes(name) ? 'right' : 'left')),
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
