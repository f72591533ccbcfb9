/** Commands of the far tier itself, those within its scripts among them. */
const COMMANDS = [
  ...['get', 'mget', 'getrange', 'strlen', 'set', 'del', 'unlink', 'pexpire', 'pttl', 'scan'],
  ...['eval', 'evalsha', 'time', 'ping'],
]

/** Commands of the connection: its name, the test whether the server is ready, its end, and the slots of a cluster. */
const CONNECTION = ['client|setname', 'info', 'quit', 'cluster|slots', 'cluster|info']

/**
 * The rights that the far tier needs in Redis, as arguments of ACL SETUSER; add `on` and a password.
 * The bus of `@tailwater/redis` needs further ones of its own.
 *
 * @param prefix the connection's
 * @param name the cache's
 * @example
 * ACL SETUSER cache on >secret ~tailwater:{cache:* ~tailwater:{cache-tags}:* resetchannels -@all +get …
 */
export function redisBackendAcl({ prefix = 'tailwater', name = 'cache' } = {}): string[] {
  return [
    `~${prefix}:{${name}:*`,
    `~${prefix}:{${name}-tags}:*`,
    'resetchannels',
    '-@all',
    ...[...COMMANDS, ...CONNECTION].map((command) => `+${command}`),
  ]
}
