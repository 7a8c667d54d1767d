import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeWholeSync } from '../../util/file-errors.ts';

/** What is known of a started process; written so that another run of Pilotlight finds the process again. */
export interface ProcessRecord {
  instance: string;
  service: string;
  ordinal: number;
  /** Hash of the `run` it was started from. */
  hash: string;
  pid: number;
  /** The kernel's start token of that pid. */
  start: string;
  /** Milliseconds since the epoch. */
  startedAt: number;
  port: number;
  /** Whose what listens there has to be. */
  listener?: 'own' | 'any' | undefined;
}

type Replica = Pick<ProcessRecord, 'service' | 'ordinal'>;

/** The replica's name: unique, as an ordinal is digits only. */
export function replicaName({ service, ordinal }: Replica): string {
  return `${service}-${ordinal}`;
}

/**
 * The records of one state directory, a file each. Synchronous: between a spawn and its record nothing else may run,
 * or a crash in between would leave a process that nobody knows.
 */
export class ProcessRecords {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Makes the folder, for this user only: the output of services may hold secrets. */
  open(): void {
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  write(record: ProcessRecord): void {
    const path = this.#path(record);
    writeWholeSync(path, `${JSON.stringify(record)}\n`);
  }

  read(replica: Replica): ProcessRecord | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path(replica), 'utf8');
    } catch {
      return undefined;
    }
    return parseRecord(text);
  }

  /** Removes the record unless it speaks of another process by now. */
  remove(record: ProcessRecord): void {
    const written = this.read(record);
    if (written === undefined || (written.pid === record.pid && written.start === record.start)) {
      rmSync(this.#path(record), { force: true });
    }
  }

  /** All readable records; those that a crash or a hand left broken are removed. */
  all(): ProcessRecord[] {
    return this.files('json').flatMap((replica) => {
      const record = this.read(replica);
      if (record === undefined) rmSync(this.#path(replica), { force: true });
      return record ?? [];
    });
  }

  /** The replicas of which there is a file with this ending. */
  files(ending: 'json' | 'log'): Replica[] {
    return this.#names().flatMap((name) => {
      const [, service, ordinal] = /^(.+)-(\d+)\.(?:json|log)$/.exec(name) ?? [];
      if (service === undefined || !name.endsWith(`.${ending}`)) return [];
      return { service, ordinal: Number(ordinal) };
    });
  }

  #names(): string[] {
    try {
      return readdirSync(this.folder);
    } catch {
      return [];
    }
  }

  #path(replica: Replica): string {
    return join(this.folder, `${replicaName(replica)}.json`);
  }
}

function parseRecord(text: string): ProcessRecord | undefined {
  let value: Partial<Record<keyof ProcessRecord, unknown>>;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { instance, service, hash, start, ordinal, pid, startedAt, port } = value ?? {};
  const texts = [instance, service, hash, start].every((field) => typeof field === 'string');
  const numbers = [ordinal, pid, startedAt, port].every((field) => Number.isSafeInteger(field));
  return texts && numbers ? (value as ProcessRecord) : undefined;
}
