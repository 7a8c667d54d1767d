import type { HeaderRules } from '../../model/route-rules.ts';
import { parseTemplate, type Template, type TemplateData } from '../../util/template.ts';
import type { Head } from '../http1/head.ts';

interface TemplateField {
  name: string;
  value: Template;
}

/**
 * Set and remove rules for one direction, compiled. They work on all fields that are about to be sent, so that exactly
 * one of a name is on the wire whoever else wrote one, in whatever case (CVE-2026-1525). The configuration lets
 * no rule touch what frames or routes a message.
 */
export class HeaderEdit {
  /** Names to take out: those that are removed and those that are set, as {@link folded}. */
  readonly #names = new Set<string>();
  /** Length of the longest name: no longer one has to be folded. */
  readonly #longest: number;
  /** Field lines without request data. */
  readonly #fixed: string;
  readonly #templates: TemplateField[] = [];

  /** @param remove more names to take out */
  constructor(rules: HeaderRules, remove: readonly string[] = []) {
    let fixed = '';
    for (const name of [...rules.remove, ...remove]) this.#names.add(folded(name));
    for (const { name, value } of rules.set) {
      this.#names.add(folded(name));
      const template = parseTemplate(value);
      if (template.names.length > 0) this.#templates.push({ name, value: template });
      else fixed += `${name}: ${value}\r\n`;
    }
    this.#fixed = fixed;
    this.#longest = Math.max(0, ...[...this.#names].map((name) => name.length));
  }

  /** Whether values depend on the request. */
  get usesData(): boolean {
    return this.#templates.length > 0;
  }

  /** A head (start line to empty line) with the rules applied. */
  apply(head: string, data: TemplateData | undefined): string {
    const start = head.indexOf('\r\n') + 2;
    return `${head.slice(0, start)}${this.applyToFields(head.slice(start, -2), data)}\r\n`;
  }

  /** Field lines with the rules applied. */
  applyToFields(fields: string, data: TemplateData | undefined): string {
    let out = this.stripFields(fields) + this.#fixed;
    if (data !== undefined) {
      for (const { name, value } of this.#templates) out += `${name}: ${fill(value, data)}\r\n`;
    }
    return out;
  }

  /** Leaves what is removed or set out of what is passed on of a head. */
  dropFrom(head: Head): void {
    for (let index = 0; index < head.count; index++) {
      const name = head.name(index);
      if (name.length <= this.#longest && this.#names.has(folded(name))) head.drop(index);
    }
  }

  /** A head without the fields that are removed or set. */
  strip(head: string): string {
    const start = head.indexOf('\r\n') + 2;
    return head.slice(0, start) + this.stripFields(head.slice(start));
  }

  /** Field lines without those that are removed or set. */
  stripFields(fields: string): string {
    let out = '';
    let kept = 0;
    let at = 0;
    while (at < fields.length) {
      const next = fields.indexOf('\r\n', at) + 2;
      const colon = fields.indexOf(':', at);
      if (colon >= 0 && colon <= at + this.#longest && this.#names.has(folded(fields.slice(at, colon)))) {
        out += fields.slice(kept, at);
        kept = next;
      }
      at = next;
    }
    return out + fields.slice(kept);
  }
}

/** Fills the places of a template. */
function fill({ texts, names }: Template, data: TemplateData): string {
  let out = texts[0] as string;
  for (let i = 0; i < names.length; i++) out += data[names[i] as keyof TemplateData] + (texts[i + 1] as string);
  return out;
}

/** Returns one spelling for all names that applications take for the same one (GHSA-5m6w-wvh7-57vm). */
function folded(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
