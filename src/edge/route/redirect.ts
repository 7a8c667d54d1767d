import { STATUS_CODES } from 'node:http';
import type { RedirectSettings } from '../../model/route-rules.ts';
import { parseTemplate, type Template, type TemplateData, type TemplateName } from '../../util/template.ts';

/**
 * Characters that a path may not hold as they are: all but pchar and "/" (RFC 3986 §3.3). They are percent-encoded, `\`
 * above all.
 */
const NOT_PATH = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/g;
const NOT_QUERY = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/?%]/g;
const NOT_UNRESERVED = /[^A-Za-z0-9\-._~]/g;
/** Hosts that may be part of a Location: a name or an address, without sub-delims and percent-encoding. */
const PLAIN_HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;

/** Where a route sends its clients. */
export class Redirect {
  readonly status: number;
  /** Body for people whose client does not follow. */
  readonly text: string;
  readonly #template: Template;
  /** Per place of the template: whether it lies behind a `?` or `#`, where request data must not add parameters. */
  readonly #isComponent: boolean[];
  readonly #needsHost: boolean;

  constructor({ to, status }: RedirectSettings) {
    this.status = status;
    this.text = `${STATUS_CODES[status]}\n`;
    this.#template = parseTemplate(to);
    this.#needsHost = this.#template.names.includes('host');
    let behind = false;
    this.#isComponent = this.#template.names.map((_, index) => {
      behind ||= /[?#]/.test(this.#template.texts[index] as string);
      return behind;
    });
  }

  /**
   * Redirects to a path (of a route, without its slash) with a slash behind it, so that relative links lead below it.
   */
  static toSlash(path: string): Redirect {
    return new Redirect({ to: `${path.replace(NOT_PATH, percentEncoded)}/{query}`, status: 308 });
  }

  /** Whether a request for this host can be redirected: the host is not needed, or is a plain one. */
  accepts(host: string): boolean {
    return !this.#needsHost || PLAIN_HOST.test(host);
  }

  /**
   * Makes the Location for a request. Request data stays in its place: it can neither begin nor end an authority, a
   * query or a line.
   */
  location(data: TemplateData): string {
    const { texts, names } = this.#template;
    let out = texts[0] as string;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as TemplateName;
      out += encode(name, data[name], this.#isComponent[i] as boolean) + (texts[i + 1] as string);
    }
    return out;
  }
}

function encode(name: TemplateName, value: string, component: boolean): string {
  if (component) return value.replace(NOT_UNRESERVED, percentEncoded);
  if (name === 'host') return value;
  if (name === 'query') return value.replace(NOT_QUERY, percentEncoded);
  // `OPTIONS *` has no path.
  return value.startsWith('/') ? value.replace(NOT_PATH, percentEncoded) : '/';
}

/**
 * The escape of each byte, made beforehand: for the characters of a long path it would take longer than all the rest.
 */
const ESCAPES = Array.from({ length: 256 }, (_, code) => `%${code.toString(16).toUpperCase().padStart(2, '0')}`);

function percentEncoded(char: string): string {
  return ESCAPES[char.charCodeAt(0)] as string;
}
