/** Memory of the machine, or of the control group that bounds this process and what it starts. */
export interface HostMemory {
  totalBytes: number;
  /** What can be had without swapping; undefined where the system does not tell. */
  availableBytes: number | undefined;
}

/** What replicas take of the memory, and what they may take together. */
export interface MemoryUse {
  /** Bytes that all replicas may take together. */
  budgetBytes: number;
  /** What they take, paused ones included; one that was not measured yet counts with what it is expected to take. */
  usedBytes: number;
  hostBytes: number;
  /** Null where the system does not tell. */
  availableBytes: number | null;
}
