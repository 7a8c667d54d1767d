import type { ErrorCode } from './errors.ts';

/** A server that a source asks. */
interface SourceAgent {
  /** As a URL without credentials. */
  address: string;
  /** It is the one that is asked at present. */
  isAsked: boolean;
  /** It did not answer when it was asked last. */
  isLeft: boolean;
}

/** Whom a source asks, and how far it has heard. */
export interface SourceContact {
  agents: SourceAgent[];
  /** Of the last answer, as its sender counts changes; null before the first. */
  index: string | null;
}

/** How it stands with a source of endpoints that may fall out of touch. */
export interface SourceStatus extends SourceContact {
  /** As in the `endpoints` of services. */
  name: string;
  title: string;
  /** `waiting`: something was never answered yet. */
  state: 'in-touch' | 'waiting' | 'out-of-touch';
  /** How many services it is asked for. */
  services: number;
  /** Age of the oldest that is known of any service, ms; 0 while in touch, null before the first answer. */
  staleForMs: number | null;
  trouble: { code: ErrorCode; message: string } | null;
  /** What it does not see, and why; 20 services at most. */
  denied: { service: string; message: string }[];
}
