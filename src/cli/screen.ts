/** A whole terminal that one command has for itself. */
export interface Screen {
  columns(): number;
  rows(): number;
  /** Shows these lines instead of what stands there. */
  draw(lines: readonly string[]): void;
  /** Calls for each key: a character, or a sequence such as `\x1b[A`. */
  onKey(listener: (key: string) => void): void;
  onResize(listener: () => void): void;
  /** Gives the terminal back as it was. */
  close(): void;
}

/** The alternate screen without cursor, and back. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

type Input = Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode' | 'on' | 'off' | 'resume' | 'pause'>;
type Output = Pick<NodeJS.WriteStream, 'write' | 'columns' | 'rows' | 'on' | 'off'>;

/** Takes the terminal over. However the process ends, but for a kill, it is given back. */
export function openScreen(
  input: Input = process.stdin,
  output: Output = process.stdout,
  host: Pick<NodeJS.Process, 'once' | 'off'> = process,
): Screen {
  let onKey: (key: string) => void = () => undefined;
  let onResize: () => void = () => undefined;
  let isOpen = true;
  const keys = (bytes: Buffer) => {
    for (const key of bytes.toString().match(/\x1b\[[0-9;]*[A-Za-z~]|[\s\S]/g) ?? []) onKey(key);
  };
  const resized = () => onResize();
  const close = () => {
    if (!isOpen) return;
    isOpen = false;
    host.off('exit', close);
    output.off('resize', resized);
    input.off('data', keys);
    if (input.isTTY) input.setRawMode(false);
    input.pause();
    output.write(LEAVE);
  };
  host.once('exit', close);
  output.on('resize', resized);
  if (input.isTTY) input.setRawMode(true);
  input.on('data', keys);
  input.resume();
  output.write(ENTER);
  return {
    columns: () => output.columns || 80,
    rows: () => output.rows || 24,
    draw(lines) {
      // Line by line: a screen that is cleared first flickers.
      output.write(`${HOME}${lines.map((line) => line + CLEAR_LINE).join('\r\n')}${CLEAR_BELOW}`);
    },
    onKey(listener) {
      onKey = listener;
    },
    onResize(listener) {
      onResize = listener;
    },
    close,
  };
}
