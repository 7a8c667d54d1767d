// Apart from the sections that they belong to, for those who need no schema.

/** `admin.address`. */
export const ADMIN_ADDRESS = '127.0.0.1:9400';

/** `consul.address`, unless the environment says so. */
export const CONSUL_ADDRESS = 'http://127.0.0.1:8500';

/** `docker.socket`, unless the environment says so. */
export const DOCKER_SOCKET = '/var/run/docker.sock';
