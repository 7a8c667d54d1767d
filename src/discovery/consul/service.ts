/** What a service says of itself in Consul. */
export interface ConsulService {
  /** Its name there. */
  service: string;
  /** Only entries with this tag, or with all of these. */
  tag: string | readonly string[] | undefined;
}
