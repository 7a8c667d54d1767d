/** Where Consul is, and what is registered there. */
export interface ConsulSettings {
  /** Origin, such as http://127.0.0.1:8500. */
  address: string;
  token: string | undefined;
  /** Path of a PEM file that signs Consul's certificate. */
  caCert: string | undefined;
  register: false | 'edge' | 'replicas';
  /** Host or host:port under which others reach this proxy (edge) or this machine's replicas; needed to register. */
  advertise: string | undefined;
}

/** What a service says of itself in Consul. */
export interface ConsulService {
  /** Its name there. */
  service: string;
  /** Only entries with this tag, or with all of these. */
  tag: string | readonly string[] | undefined;
}
