import { toError } from '@tailwater/core'
import type { EnvelopeTag } from '../envelope/envelope.ts'
import type { FarVersion } from '../far/far_backend.ts'
import type { Life } from '../policy.ts'
import type { Space } from '../space.ts'
import type { Tag } from '../tag.ts'
import type { Flight } from './flight.ts'
import type { LoadLease } from './load_lease.ts'

/** What was known of the tags before a load began. */
export interface FarBefore {
  readonly tags: readonly EnvelopeTag[]
  /** The greatest number that had been heard of. */
  readonly floor: number
}

/** A loaded value on its way to the far tier. */
export interface LoadedValue {
  readonly space: Space
  /** Without its namespace. */
  readonly key: string
  readonly value: unknown
  readonly life: Life
  /** Tags that the load itself has named. */
  readonly wished: readonly Tag[]
  readonly before: FarBefore
  /** Of the load. */
  readonly flight: Flight
  /** What must still lie there. */
  readonly version: FarVersion
  readonly lease: LoadLease | undefined
}

/**
 * Makes the envelope of a loaded value and has it stored, in the background, if nothing was invalidated since its load began. The bytes of small ones are made before it returns: then those who
 * wait get the value, and might change it. Never throws.
 *
 * @returns those bytes, if they are made
 */
export function storeLoaded(loaded: LoadedValue): Buffer | undefined {
  const { space, key, value, life, wished, before } = loaded
  space.core.flights.workBegins()
  try {
    const envelope = wished.length === 0 ? space.envelopeOf(key, value, life, before.tags) : envelopeOf(loaded)
    if (envelope instanceof Promise)
      envelope.then(
        (bytes) => store(loaded, bytes),
        (error: unknown) => unstored(loaded, error),
      )
    else {
      store(loaded, envelope)
      return envelope
    }
  } catch (error) {
    unstored(loaded, error)
  }
  return undefined
}

/** That of a value whose load named tags of its own; undefined if one of those was invalidated since. */
async function envelopeOf({ space, key, value, life, wished, before }: LoadedValue): Promise<Buffer | undefined> {
  const more = await space.core.numbers!.find(wished)
  // Beyond what the counter stood at before the load: invalidated since, or not to be told from it.
  if (!more || more.some(({ number }) => number > before.floor)) return undefined
  return space.envelopeOf(key, value, life, [...before.tags, ...more])
}

function store({ space, life, flight, version, lease }: LoadedValue, envelope: Buffer | undefined): void {
  const { core, counts } = space
  if (!envelope || flight.isVoid) {
    lease?.release()
    core.flights.workEnds()
    return
  }
  const token = lease?.isHeld ? lease.token : undefined
  lease?.end()
  const ttl = Math.ceil(life.ttl + life.grace)
  const write = { key: flight.key, envelope, ttl, expected: version }
  core.far!.store(token === undefined ? write : { ...write, lease: token }, (isStored) => {
    if (isStored === false) counts.outdated++
    core.flights.workEnds()
  })
}

function unstored({ space, lease }: LoadedValue, error: unknown): void {
  lease?.release()
  space.refuse(toError(error))
  space.core.flights.workEnds()
}
