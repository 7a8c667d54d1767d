/** The file that a configuration was read from. */
export interface ConfigSource {
  /** Absolute path. */
  file: string;
  /** When its content was changed last, ISO 8601; null where it could not be found out. */
  modified: string | null;
}

/**
 * What differs between two configurations, by the names of keys alone: values may be secrets. Two configurations are
 * compared as they take effect, so that a default that is spelled out, or a comment, is no difference.
 */
export interface SettingsChanges {
  services: {
    added: string[];
    removed: string[];
    /** Keys as in the file: `routes`, `timeouts.drain`, `run.docker.image`. */
    changed: { name: string; keys: string[] }[];
  };
  /** By address, as host:port. */
  listeners: { added: string[]; removed: string[]; changed: { address: string; keys: string[] }[] };
  /** Others that take effect at once: `trustedProxies`, `budget.replicas`. */
  keys: string[];
  /** Keys that differ from what is in force, and take effect only after a restart. */
  needRestart: string[];
}

/** What became of a reload; `changed` is false where what is in force is the same as before. */
export type ReloadResult = ConfigSource &
  ({ reloaded: true; changed: boolean; changes: SettingsChanges } | { reloaded: false; problems: string[] });
