/** A rule of a router, as it is written: a tree of conditions. */
export type Rule =
  | { kind: 'call'; name: string; args: string[] }
  | { kind: 'not'; of: Rule }
  | { kind: 'and' | 'or'; all: Rule[] };

/** One way to match: all of these have to hold. */
export interface Match {
  host: string | undefined;
  path: string | undefined;
  /** Addresses and CIDRs; undefined: any client. */
  clients: string[] | undefined;
}

type RuleReading = { matches: Match[] } | { fault: string };

/** Longest rule, characters; deepest nesting; most ways to match. */
const LONGEST = 4096;
const DEEPEST = 32;
const MOST_MATCHES = 100;

/** What rules may ask for there, and routes cannot yet. */
const CONDITIONS = /^(?:Path|PathRegexp|Methods?|Headers?|Headers?Regexp|Query|QueryRegexp|HostRegexp)$/i;
const NO_CONDITIONS = 'routes have no conditions yet: Host, PathPrefix and ClientIP are all that a rule may ask for';

/** What is wrong with a rule. */
class Fault extends Error {}

/** The routes that a rule comes to. @returns why it cannot be expressed, where it cannot */
export function readRule(text: string): RuleReading {
  try {
    return { matches: matchesOf(parseRule(text)) };
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message };
    throw error;
  }
}

/** @throws Fault */
export function parseRule(text: string): Rule {
  if (text.length > LONGEST) throw new Fault(`expected at most ${LONGEST} characters`);
  const parser = new RuleParser(text);
  const rule = parser.either(0);
  parser.end();
  return rule;
}

/** `||` binds less than `&&`, which binds less than `!`. */
class RuleParser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  either(depth: number): Rule {
    return this.#chain('or', '||', () => this.#both(depth));
  }

  end(): void {
    this.#blanks();
    if (this.#at < this.#text.length) throw this.#fault('expected && or ||');
  }

  #both(depth: number): Rule {
    return this.#chain('and', '&&', () => this.#one(depth));
  }

  #chain(kind: 'and' | 'or', sign: string, next: () => Rule): Rule {
    const all = [next()];
    while (this.#takes(sign)) all.push(next());
    return all.length === 1 ? (all[0] as Rule) : { kind, all };
  }

  #one(depth: number): Rule {
    if (depth > DEEPEST) throw new Fault(`expected at most ${DEEPEST} levels of parentheses`);
    if (this.#takes('!')) return { kind: 'not', of: this.#one(depth + 1) };
    if (this.#takes('(')) {
      const inner = this.either(depth + 1);
      this.#expect(')');
      return inner;
    }
    const name = /^[A-Za-z]+/.exec(this.#rest())?.[0];
    if (name === undefined) throw this.#fault('expected a condition such as Host(`shop.example.com`)');
    this.#at += name.length;
    this.#expect('(');
    const args = [this.#quoted()];
    while (this.#takes(',')) args.push(this.#quoted());
    this.#expect(')');
    return { kind: 'call', name, args };
  }

  #quoted(): string {
    this.#blanks();
    const quoted = /^(?:`([^`]*)`|"([^"\\]*)"|'([^'\\]*)')/.exec(this.#rest());
    if (quoted === null) throw this.#fault('expected a text in backticks or quotes');
    this.#at += quoted[0].length;
    return quoted[1] ?? quoted[2] ?? quoted[3] ?? '';
  }

  #takes(sign: string): boolean {
    this.#blanks();
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) throw this.#fault(`expected "${sign}"`);
  }

  #blanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }

  #rest(): string {
    return this.#text.slice(this.#at);
  }

  #fault(message: string): Fault {
    return new Fault(`${message} at character ${this.#at + 1} of the rule`);
  }
}

/** All ways to match. @throws Fault where routes cannot say it */
function matchesOf(rule: Rule): Match[] {
  if (rule.kind === 'not') throw new Fault(`"!" is a condition, and ${NO_CONDITIONS}`);
  if (rule.kind === 'call') return callMatches(rule);
  const parts = rule.all.map(matchesOf);
  if (rule.kind === 'or') return bounded(parts.flat());
  return parts.reduce((all, next) => bounded(all.flatMap((one) => next.map((other) => both(one, other)))));
}

function callMatches({ name, args }: Extract<Rule, { kind: 'call' }>): Match[] {
  const any: Match = { host: undefined, path: undefined, clients: undefined };
  switch (name.toLowerCase()) {
    case 'host':
      return args.map((host) => ({ ...any, host: host.toLowerCase() }));
    case 'pathprefix':
      return args.map((path) => ({ ...any, path }));
    case 'clientip':
      return [{ ...any, clients: args }];
    default:
      throw new Fault(
        CONDITIONS.test(name)
          ? `${name} is a condition, and ${NO_CONDITIONS}`
          : `expected Host, PathPrefix or ClientIP, found ${name}`,
      );
  }
}

function bounded(matches: Match[]): Match[] {
  if (matches.length > MOST_MATCHES) throw new Fault(`comes to more than ${MOST_MATCHES} routes`);
  return matches;
}

function both(one: Match, other: Match): Match {
  return {
    host: same('hosts', one.host, other.host),
    path: same('path prefixes', one.path, other.path),
    clients:
      one.clients !== undefined && other.clients !== undefined
        ? sameClients(one, other)
        : (one.clients ?? other.clients),
  };
}

function same(what: string, one: string | undefined, other: string | undefined): string | undefined {
  if (one !== undefined && other !== undefined && one !== other) {
    throw new Fault(`asks for two ${what} at once: ${one} and ${other}`);
  }
  return one ?? other;
}

function sameClients(one: Match, other: Match): string[] {
  same('sets of clients', one.clients?.join(), other.clients?.join());
  return one.clients ?? [];
}
