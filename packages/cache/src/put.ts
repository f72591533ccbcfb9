import type { Coherence } from './coherence/coherence.ts'
import { InvalidSet } from './coherence/invalid_set.ts'
import { cacheError } from './errors.ts'
import { Flight } from './load/flight.ts'
import { type Life, lifeOf, type Policy } from './policy.ts'
import type { Space } from './space.ts'
import type { Tag } from './tag.ts'

/** A value to be put under a key. */
export interface Put {
  /** Without its namespace; checked. */
  readonly key: string
  readonly value: unknown
}

/**
 * Puts values into both tiers, whatever is there, and has the other processes drop theirs.
 *
 * @throws E_CACHE_VALUE, E_CACHE_SCHEMA; then nothing was changed
 */
export async function putAll(space: Space, coherence: Coherence, puts: readonly Put[], policy: Policy): Promise<void> {
  const since = space.core.clock.elapsed()
  const tags = policy.tags.map((name) => space.core.tags.take(name))
  const values = puts.map((put) => ({ ...put, value: acceptable(space, put) }))
  const numbers = space.format ? await space.core.numbers?.find(space.farTags(tags)) : undefined
  const kept: Kept[] = []
  for (const put of values) kept.push(await prepare(space, put, policy, numbers))
  const writes = kept.map((one) => keepNear(space, one, tags))
  // Where the store could not be told, it must not go on with what it has.
  const stored = await Promise.all(kept.map((one) => writeFar(space, one)))
  writes.forEach((flight, at) => {
    const isOvertaken = flight.isVoid
    space.core.flights.end(flight)
    if (isOvertaken || stored[at] === undefined) space.core.far?.distrust.add([flight.key], [])
  })
  if (space.core.far && space.core.far.distrust.size > 0) await space.core.far.flush()
  await coherence.announce(InvalidSet.of(writes.map(({ key }) => key)), since)
}

interface Kept extends Put {
  /** Undefined for what is not to be kept: then nothing is there afterwards. */
  readonly life: Life | undefined
  readonly envelope: Buffer | undefined
}

/** The value as it may be kept, and stored. @throws E_CACHE_VALUE, E_CACHE_SCHEMA */
export function acceptable(space: Space, { key, value }: Put): unknown {
  const isThenable = typeof (value as PromiseLike<unknown> | undefined)?.then === 'function'
  if (isThenable || typeof value === 'function' || typeof value === 'symbol')
    throw cacheError('E_CACHE_VALUE', `a ${isThenable ? 'promise' : typeof value} cannot be kept under '${key}'`, {
      key,
    })
  return space.checked(value, key)
}

async function prepare(space: Space, { key, value }: Put, policy: Policy, numbers: EnvelopeTags): Promise<Kept> {
  const life = lifeOf(policy, value, {}, space.core.random)
  if (!life || !numbers) return { key, value, life, envelope: undefined }
  return { key, value, life, envelope: await space.envelopeOf(key, value, life, numbers) }
}

type EnvelopeTags = readonly { readonly name: string; readonly number: number }[] | undefined

/** Whoever asks meanwhile gets the new value; an invalidation meanwhile marks the flight. */
function keepNear(space: Space, { key, value, life }: Kept, tags: readonly Tag[]): Flight {
  const { flights, tags: table, clock } = space.core
  const whole = space.form.whole + key
  flights.invalidate(whole)
  const flight = new Flight({
    key: whole,
    cache: space.name,
    counts: space.counts,
    sequence: table.sequence,
    tags: space.nearTags(tags),
    canLoad: true,
  })
  flight.answerWith(value, 'hit', 'near')
  flights.begin(flight)
  space.counts.sets++
  const now = clock.elapsed()
  const bytes = space.weight(key, value, undefined)
  if (life)
    space.keep(
      space.entryOf({
        key,
        value,
        life,
        tags: flight.tags,
        sequence: table.sequence,
        checkedAt: now,
        bornAt: now,
        bytes,
      }),
    )
  else space.near.delete(space.form.near + key)
  return flight
}

/** Whether the store has it; undefined if it may have something else. */
async function writeFar(space: Space, { key, life, envelope }: Kept): Promise<boolean | undefined> {
  const { far } = space.core
  if (!far || !space.format) return true
  if (!life || !envelope) return undefined
  return far.write({ key: space.form.whole + key, envelope, ttl: Math.ceil(life.ttl + life.grace) })
}
