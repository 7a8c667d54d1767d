/** What a service took, or would have taken: seconds, and numbers of things. */
export interface CostAmounts {
  /** Seconds of a replica that starts, runs or stops. */
  replicaSeconds: number;
  /** The same times its memory, MiB × s; null where the runtime tells of none. */
  memoryMiBSeconds: number | null;
  coldStarts: number;
  /** What all users together waited for starts. */
  waitedSeconds: number;
  /** In the currency of the prices; null without any. */
  money: number | null;
}

/** What an image takes of the disk, bytes, as files in its layers. */
export interface DiskUsage {
  /** Of layers that no other image on that machine has: what the disk would be spared without the service. */
  alone: number;
  /** Of layers that others have too. */
  shared: number;
}

/** What one service cost, and what it would have cost otherwise with the same requests. */
export interface ServiceCosts extends CostAmounts {
  service: string;
  cpuSeconds: number | null;
  requests: number;
  /** Seconds of paused replicas, which are in `memoryMiBSeconds` and not in `replicaSeconds`. */
  pausedSeconds: number;
  /** Paused replicas that went on for requests. */
  resumes: number;
  /** What its image takes now; null where it has none, or that is not known. */
  disk: DiskUsage | null;
  /** With `min: 1`. */
  alwaysOn: CostAmounts;
  /** With `idle: 10m`. */
  fixed10m: CostAmounts;
}

export interface Costs {
  /** ISO 8601: from when on; whole hours, and whole days where that is more than two days ago. */
  since: string;
  until: string;
  currency: string;
  /** By name; those of which anything is known. */
  services: ServiceCosts[];
}

/** Prices by unit; undefined: it costs nothing. */
export interface PriceSettings {
  currency: string;
  replicaHour: number | undefined;
  /** Of a GiB of memory. */
  memoryHour: number | undefined;
  cpuHour: number | undefined;
  /** Of a waiting user. */
  waitedHour: number | undefined;
}
