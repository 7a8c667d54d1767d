import { PilotlightError } from '../../../model/errors.ts';
import type { HostPort } from '../../../model/settings.ts';

/**
 * What members of a cluster say to each other, by number: raised where an older or a newer one would not understand it.
 * Members of one protocol go together, whatever their versions.
 */
export const PROTOCOL = 2;

/** How a member presents itself to whom it takes for the leader. */
export interface Hello {
  protocol: number;
  /** Version of the program. */
  build: string;
  cluster: string;
  member: string;
  /** Tells one run of the member from the next. */
  life: string;
  /** Where members reach it. */
  address: HostPort;
  /** Whom it takes this one for. */
  leader: string;
}

/** How the leader answers. */
export interface Welcome {
  build: string;
  member: string;
}

/** Who is asked. */
export interface Self {
  cluster: string;
  member: string;
  build: string;
  /** Of the lock while it leads; undefined: it does not. */
  leading: number | undefined;
}

/** Reads what came first on a connection. @throws CLUSTER_PROTOCOL where that is no hello */
export function readHello(value: unknown): Hello {
  const hello = (value ?? {}) as Partial<Hello>;
  const { protocol, build, cluster, member, life, address, leader } = hello;
  const texts = [build, cluster, member, life, leader, address?.host];
  const isWhole =
    typeof protocol === 'number' &&
    typeof address?.port === 'number' &&
    texts.every((text) => typeof text === 'string' && text.length <= 255);
  if (!isWhole) throw new PilotlightError('CLUSTER_PROTOCOL', 'a connection that does not begin as those of members');
  return hello as Hello;
}

/**
 * Why a member that presents itself so is not taken; undefined: it is.
 * @param index of the lock, as that member knows it
 */
export function refusalOf(hello: Hello, index: number, self: Self): PilotlightError | undefined {
  const { protocol, build, cluster, member, leader } = hello;
  if (protocol !== PROTOCOL) {
    const versions = `${member} ${build} speaks protocol ${protocol}, ${self.member} ${self.build} ${PROTOCOL}`;
    return new PilotlightError('CLUSTER_VERSION', `these versions cannot be one cluster: ${versions}`);
  }
  if (cluster !== self.cluster || leader !== self.member) {
    const found = `${self.member} of cluster ${self.cluster}`;
    return new PilotlightError('CLUSTER_OTHER', `${member} looks for ${leader} of ${cluster} and came to ${found}`);
  }
  if (member === self.member) {
    return new PilotlightError('CLUSTER_OTHER', `another member is named ${member}: each needs a name of its own`);
  }
  if (self.leading === undefined) return new PilotlightError('CLUSTER_UNLED', `${self.member} does not lead`);
  if (index !== self.leading) {
    const words = `${member} knows of lock ${index}, ${self.member} leads by ${self.leading}`;
    return new PilotlightError('CLUSTER_UNLED', words);
  }
  return undefined;
}
