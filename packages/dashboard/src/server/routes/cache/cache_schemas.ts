import { Nullable } from '@tailwater/http'
import { Type } from 'typebox'

const count = Type.Integer({ minimum: 0 })
const ms = (description: string) => Type.Number({ description: `Milliseconds. ${description}` })

const Namespace = Type.Object({
  name: Type.String(),
  nearHits: count,
  farHits: count,
  stale: count,
  misses: count,
  loads: count,
  loadErrors: count,
  loadMs: ms('Of all loads together.'),
  sets: count,
  outdated: count,
  refused: count,
  entries: Type.Integer({ description: "In this process's memory." }),
  bytes: Type.Integer({ description: 'Estimated.' }),
})

const Far = Type.Object({
  backend: Type.String(),
  breaker: Type.String({ description: '`closed` while it is used; `open` while it is left alone.' }),
  reads: count,
  writes: count,
  errors: count,
  timeouts: count,
  bytesRead: count,
  bytesWritten: count,
  pendingInvalidations: count,
})

/** A warm-up, running or done. */
export const WarmUp = Type.Object({
  namespace: Type.String(),
  running: Type.Boolean(),
  loaded: count,
  failed: count,
  startedAt: Type.Number({ description: 'Milliseconds since the Unix epoch.' }),
  error: Nullable(Type.String({ description: 'The last failure.' })),
})

/** What this process's cache has done, and how it stands. */
export const CacheState = Type.Object({
  namespaces: Type.Array(Namespace),
  near: Type.Object({ entries: count, bytes: count, evictions: count }),
  far: Nullable(Far),
  busSilence: Nullable(ms('Since the bus was last known to have told everything.')),
  warming: Type.Array(WarmUp, { description: 'The last warm-up of each namespace that was asked for here.' }),
})

/** A page of keys. */
export const Keys = Type.Object({
  data: Type.Array(Type.Object({ key: Type.String(), bytes: count, ttl: ms('Until it is gone for good.') })),
  page: Type.Object({
    next: Nullable(
      Type.String({ description: 'Cursor of the next page. A page may be empty without being the last.' }),
    ),
    limit: Type.Integer(),
  }),
})

const Tier = Type.Object({
  bytes: count,
  freshFor: ms('Negative for a value that is stale.'),
  usableFor: ms('Until it is gone for good.'),
  tags: Type.Array(Type.String()),
  isValid: Type.Boolean({ description: 'False for what a tag has invalidated: it is there, and will not be served.' }),
})

/** A key in detail. */
export const KeyDetail = Type.Object({
  key: Type.String(),
  near: Nullable(Tier),
  far: Nullable(Tier),
  preview: Type.Unknown({ description: 'A part of the value, its secret fields hidden.' }),
})
