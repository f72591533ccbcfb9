import type { ClusterOptions, RedisOptions as IoRedisOptions } from 'ioredis'
import { openAuthenticated } from './authenticating_connector.ts'
import type { RedisClient } from './client.ts'
import { redisError } from './errors.ts'
import type { RedisCredentials, ResolvedRedisOptions } from './options.ts'

/** The driver, which is an optional peer. */
export type IoRedis = Awaited<ReturnType<typeof loadIoRedis>>

/** Loads ioredis. @throws E_PACKAGE_MISSING */
export async function loadIoRedis() {
  try {
    const { Redis, Cluster, AbstractConnector } = await import('ioredis')
    return { Redis, Cluster, AbstractConnector }
  } catch (cause) {
    throw redisError('E_PACKAGE_MISSING', "Redis needs the package 'ioredis': npm install ioredis@6", {
      package: 'ioredis',
      cause,
    })
  }
}

/** The credentials for a new connection. */
export async function currentCredentials({
  username,
  password,
}: ResolvedRedisOptions): Promise<RedisCredentials | undefined> {
  if (password === undefined) return undefined
  const given = typeof password === 'function' ? await password() : password
  const credentials = typeof given === 'string' ? { password: given } : given
  return { ...(username !== undefined && { username }), ...credentials }
}

/** Where the options lead, for messages: no credentials. */
export function targetOf({ cluster, sentinel, socketPath, host, port, client }: ResolvedRedisOptions): string {
  const list = (nodes: readonly { host: string; port: number }[]) =>
    nodes.map((node) => `${node.host}:${node.port}`).join(',')
  if (client) return "the application's own client"
  if (cluster) return `cluster ${list(cluster.nodes)}`
  if (sentinel) return `'${sentinel.master}' by sentinels ${list(sentinel.nodes)}`
  return socketPath ?? `${host}:${port}`
}

/** Whether commands may block: then the server's silence means nothing. */
export type ConnectionKind = 'plain' | 'blocking'

/**
 * What every connection shares.
 *
 * No retrying by the driver: the link replaces a client whose connection has ended. So a command is never sent twice behind
 * its caller's back, and waits for nothing.
 */
function commonOptions(options: ResolvedRedisOptions, label: string, kind: ConnectionKind) {
  const { tls, connectTimeout, name } = options
  return {
    connectTimeout,
    lazyConnect: true,
    connectionName: `${name}:${label}`,
    retryStrategy: null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    ...timeLimits(options, kind),
    ...(tls && { tls: tls === true ? {} : tls }),
  } satisfies IoRedisOptions
}

function timeLimits({ commandTimeout }: ResolvedRedisOptions, kind: ConnectionKind) {
  return kind === 'blocking'
    ? {
        commandTimeout: undefined,
        socketTimeout: undefined,
        blockingTimeout: commandTimeout,
        blockingTimeoutGrace: commandTimeout,
      }
    : // A server that is frozen keeps its sockets open: silence with commands waiting is the only sign.
      { commandTimeout, socketTimeout: commandTimeout }
}

/** What is different in a connection made after the example of another client: of a cluster's node, or the application's. */
export function besideOptions(options: ResolvedRedisOptions, label: string, kind: ConnectionKind): IoRedisOptions {
  const { tls: _, ...shared } = commonOptions(options, label, kind)
  return { ...shared, enableOfflineQueue: false, maxRetriesPerRequest: 0 }
}

/** A client of one connection, to the single server or to the master that the sentinels name. Not connected yet. */
export async function buildSingle(
  io: IoRedis,
  options: ResolvedRedisOptions,
  label: string,
  kind: ConnectionKind,
): Promise<RedisClient> {
  const { sentinel, socketPath, host, port, database } = options
  const shared = {
    ...commonOptions(options, label, kind),
    ...(await currentCredentials(options)),
    db: database,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  } satisfies IoRedisOptions
  if (!sentinel)
    return new io.Redis({ ...shared, ...(socketPath ? { path: socketPath } : { host, port }) } satisfies IoRedisOptions)
  return new io.Redis({
    ...shared,
    sentinels: [...sentinel.nodes],
    name: sentinel.master,
    role: 'master',
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: options.connectTimeout,
    // A sentinel closes the connections of a master that it makes a replica; should that go astray, its first refusal does.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    ...(sentinel.username && { sentinelUsername: sentinel.username }),
    ...(sentinel.password && { sentinelPassword: sentinel.password }),
    ...(sentinel.tls && { sentinelTLS: sentinel.tls === true ? {} : sentinel.tls }),
    enableTLSForSentinelMode: Boolean(options.tls),
  } satisfies IoRedisOptions)
}

/** Commands may be redirected so often; with the pauses below that spans a failover. */
const REDIRECTIONS = 60
/** Milliseconds between attempts on a cluster that is failing over: fast enough to notice, and 20 attempts a second hurt nobody. */
const FAILOVER_PAUSE = 50

/** A client of a whole cluster. Not connected yet. */
export async function buildCluster(
  io: IoRedis,
  options: ResolvedRedisOptions,
  { label, pause }: { label: string; pause(attempt: number): number },
): Promise<RedisClient> {
  const { cluster, commandTimeout } = options
  const { retryStrategy: _, ...shared } = commonOptions(options, label, 'plain')
  const credentials = typeof options.password === 'function' ? {} : await currentCredentials(options)
  const clusterOptions = {
    lazyConnect: true,
    // The link refuses commands while the cluster is away; a node that is just being connected to is worth the wait.
    enableOfflineQueue: true,
    clusterRetryStrategy: pause,
    retryDelayOnFailover: FAILOVER_PAUSE,
    retryDelayOnClusterDown: FAILOVER_PAUSE,
    retryDelayOnTryAgain: FAILOVER_PAUSE,
    maxRedirections: Math.max(REDIRECTIONS, Math.ceil(commandTimeout / FAILOVER_PAUSE)),
    slotsRefreshTimeout: Math.min(1_000, options.connectTimeout),
    ...(cluster!.natMap && { natMap: { ...cluster!.natMap } }),
    redisOptions: {
      ...shared,
      ...credentials,
      // A node's commands wait for its connection: the cluster client opens it with the first of them.
      maxRetriesPerRequest: null,
      ...(typeof options.password === 'function' && { Connector: authenticatingConnector(io, options) }),
    },
  } satisfies ClusterOptions
  return new io.Cluster([...cluster!.nodes], clusterOptions)
}

function authenticatingConnector(io: IoRedis, options: ResolvedRedisOptions) {
  return class extends io.AbstractConnector {
    readonly #node: { host?: string; port?: number }

    constructor(node: unknown) {
      super(options.connectTimeout)
      this.#node = node as { host?: string; port?: number }
    }

    async connect() {
      this.connecting = true
      const { connectTimeout: timeout, clock } = options
      this.stream = await openAuthenticated(this.#node, {
        credentials: () => currentCredentials(options),
        timeout,
        clock,
      })
      // Asked to disconnect meanwhile.
      if (!this.connecting) this.stream.destroy()
      return this.stream
    }
  }
}
