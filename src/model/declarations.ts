/** Options as they are written: a text, a list of options, or options by their keys. */
type WrittenOption = string | readonly WrittenOption[] | { readonly [key: string]: WrittenOption };
export type WrittenOptions = { readonly [key: string]: WrittenOption };

/**
 * One service that says itself where it belongs. Plain data: what its labels mean is worked out by the configuration, by
 * the rules of the file, so that a source only knows the system that it reads.
 */
export interface Declaration {
  /** Name of the source, as below `declare`. */
  readonly source: string;
  /** Whose it is, unique within the source, and the same as long as it is the same thing: a container's name. */
  readonly key: string;
  /** The same for people: `container shop-1`. */
  readonly title: string;
  /** What the service is called unless a label says otherwise; what no service may be called is made fit. */
  readonly service: string;
  /** Since when it is there, ms since the epoch: of two that want the same, the older one has it. */
  readonly since: number;
  /** Of two that are there since the same moment, the one with the lower number is older; 0 unless told. */
  readonly order?: number;
  /** All that it is labelled with, own and foreign; labels that mean nothing here are left alone. */
  readonly labels: Readonly<Record<string, string>>;
  /** What labels that are meant for Pilotlight begin with, without the dot: `pilotlight`. */
  readonly prefix: string;
  /** What its labels are where it stands, for people; `label` unless told. */
  readonly word?: 'label' | 'tag';
  /** Labels that it says in its metadata, with the keys there. */
  readonly meta?: Readonly<Record<string, string>>;
  /** What is wrong with how it is labelled, before anybody reads what it says: a line each; nothing unless told. */
  readonly faults?: readonly string[];
  /** What of it was left out already, a line each; nothing unless told. */
  readonly notes?: readonly string[];
  /** What the source itself says of the service, over all that is declared: how it is run, or where it is found. */
  readonly binding: WrittenOptions;
  /** Where in the options the port belongs; undefined: the source knows the port. */
  readonly portAt: readonly string[] | undefined;
  /** Where in the options shares of requests by tag belong; undefined: there is nothing to share. */
  readonly sharesAt?: readonly string[];
  /** Tags that any of its instances has, also those that are not believed; where `sharesAt` is told. */
  readonly tags?: readonly string[];
  /** Ports that it may listen on: a single one needs no label. */
  readonly ports: readonly number[];
  /** Networks that it is in; undefined: the source knows of none. */
  readonly networks: readonly string[] | undefined;
  /** Services that have to be ready before this one, by the names that they have unless a label says otherwise. */
  readonly after: readonly string[];
}

/** Follows who declares services. */
export interface DeclarationSource {
  /** As below `declare`. */
  readonly name: string;
  /**
   * Pushes whole sets until aborted, each in the place of the one before, as soon as anything differs: whoever takes
   * them sees to it that they are not taken too often. Says nothing while it cannot tell: the last set holds. Called once.
   */
  run(emit: (declarations: readonly Declaration[]) => void, signal: AbortSignal): void;
}

/** What may be declared. */
export interface DeclareAllow {
  /** Hosts of routes: exact, or `*.suffix` with all below it; undefined: any. */
  readonly hosts: string[] | undefined;
  /** Options by their paths, such as `scale` or `ready.path`, each with all below it; undefined: any. */
  readonly options: string[] | undefined;
}

/** Who may declare services, and what. */
export interface DeclareSettings {
  /** By the names of the sources that are asked. */
  readonly sources: Readonly<Record<string, DeclareSourceSettings>>;
  /** Other programs whose labels and tags are understood too. */
  readonly dialects: readonly string[];
  /** Most services that are declared. */
  readonly maxServices: number;
  /** `defaults` as written in the file: they hold for declared services too. */
  readonly defaults: WrittenOptions;
  /** Folder of the file: what relative paths in `defaults` count from. */
  readonly folder: string;
}

/** What is asked of one source. */
export interface DeclareSourceSettings {
  readonly allow: DeclareAllow;
  /** Networks of which a container has to be in one; undefined: in any. */
  readonly networks?: readonly string[] | undefined;
  /** What its labels begin with, without the dot. */
  readonly prefix: string;
}

/**
 * How a declaration stands. `in force`; `former`: it is wrong, and what it said before holds until it is right or gone;
 * `refused`: it is wrong, and nothing holds; `conflict`: another one has what it wants; `over budget`: there are
 * `declare.maxServices`.
 */
type DeclarationState = 'in force' | 'former' | 'refused' | 'conflict' | 'over budget';

/** One declaration, for operators. */
export interface DeclarationStatus {
  source: string;
  /** `container shop-1`. */
  title: string;
  service: string;
  state: DeclarationState;
  /** Why it is not in force, a line each; every one names the label, and what was expected. */
  problems: string[];
  /** What of it is not understood, and was left out, a line each. */
  remarks: string[];
}
