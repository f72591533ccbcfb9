import {
  type Cache,
  type CacheNamespace,
  createCache,
  type FarBackend,
  type NamespaceDefinition,
} from '@tailwater/cache'
import { createPostgresBackend } from '@tailwater/cache/postgres'
import { createRedisBackend } from '@tailwater/cache/redis'
import { duration, type Field, optionsError } from '@tailwater/core'
import { setting } from '@tailwater/postgres'
import type { ResolvedConfig } from '../config.ts'
import { RESPONSES } from '../http_config.ts'
import type { Ground } from './ground.ts'
import type { PlatformSettings } from './settings.ts'

/** Ten years, in milliseconds: as long as anything may live. */
const LONGEST = 315_360_000_000

/**
 * The cache of the platform.
 *
 * Processes tell each other of invalidations over PostgreSQL, also where Redis is the far tier: so they stay coherent while it is away, and what is invalidated
 * in a transaction goes out with its commit.
 */
export function openCache(
  config: ResolvedConfig,
  ground: Ground,
  settings: PlatformSettings,
  far: FarBackend | undefined,
): Cache {
  const { environment, clock } = config
  const cache = createCache({
    near: config.cache.near,
    environment,
    clock,
    bus: ground.bus,
    outbox: ground.outbox,
    ...(far ? { far } : {}),
  })
  return steered(reserved(cache, config.http.cache !== undefined), settings)
}

/** The store that processes share, if the configuration has one. */
export function farOf({ cache, schema, clock }: ResolvedConfig, { redis, database }: Ground): FarBackend | undefined {
  if (cache.far === 'postgres') return createPostgresBackend({ database, schema, clock })
  return redis && cache.far !== 'none' ? createRedisBackend({ redis }) : undefined
}

/** Responses are kept under a name that is then no namespace's. */
function reserved(cache: Cache, isKept: boolean): Cache {
  if (!isKept) return cache
  return {
    ...cache,
    define(name, definition) {
      if (name === RESPONSES) throw optionsError('cache.define', 'another name: http.cache keeps responses there', name)
      return cache.define(name, definition)
    },
  }
}

/** Lets the ttl of each namespace be changed while the processes run: `cache.ttl.product`. */
function steered(cache: Cache, settings: PlatformSettings): Cache {
  function steer(namespace: CacheNamespace<never, never>): void {
    const name = `cache.ttl.${namespace.name}`
    settings.define({ [name]: ttlSetting(namespace.name) })
    const standard = namespace.ttl
    const apply = () => namespace.configure({ ttl: (settings.get(name) as number | undefined) ?? standard })
    settings.onChange(name, apply)
    apply()
  }

  steer(cache.namespace('default') as CacheNamespace<never, never>)
  return {
    ...cache,
    define<Id, Value>(name: string, definition: NamespaceDefinition<Id, Value>) {
      const namespace = cache.define(name, definition)
      steer(namespace as unknown as CacheNamespace<never, never>)
      return namespace
    },
  }
}

/** As the code says, or a duration. */
function ttlSetting(namespace: string) {
  const given = duration({ min: 1, max: LONGEST })
  const field: Field<string | number, number | undefined> = {
    parse: (value, path) => (value === 'configured' ? undefined : given.parse(value, path)),
  }
  const description = `How long values of the cache's namespace '${namespace}' are fresh; \`configured\` is what the code says.`
  return setting({ field, default: 'configured', description })
}
