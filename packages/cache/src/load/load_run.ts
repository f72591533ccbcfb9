import { cacheLoad, sleep, toError } from '@tailwater/core'
import { type CacheEntry, calmFor } from '../entry.ts'
import type { Decoded, Envelope } from '../envelope/envelope.ts'
import type { FarReading, FarVersion } from '../far/far_backend.ts'
import type { FarReader } from '../far_tier/far_tier.ts'
import { type Life, lifeOf, type Policy } from '../policy.ts'
import type { Space } from '../space.ts'
import type { Tag } from '../tag.ts'
import { isFence } from '../tag_name.ts'
import { areTagsValid } from '../tag_table.ts'
import { Flight } from './flight.ts'
import { callLoad, type Loaded } from './load_call.ts'
import type { Load } from './load_context.ts'
import { LoadLease } from './load_lease.ts'

/** What a run is to find, and how. */
export interface RunPlan {
  readonly space: Space
  /** Without its namespace. */
  readonly key: string
  readonly policy: Policy
  /** Without it, only the far tier is asked. */
  readonly load: Load | undefined
  /** An entry of the near tier that is served when everything else fails. */
  readonly fallback: CacheEntry | undefined
  /** Milliseconds after which the fallback answers those who wait; undefined if it must not, because it is not trusted. */
  readonly softTimeout: number | undefined
  /** Nobody waits: a value was served, and is to be replaced. */
  readonly isRefresh: boolean
  /** Called when this run will not load, or not now: for those who load many keys in one call. */
  readonly onSpared?: (() => void) | undefined
}

/** Milliseconds between two looks at what another process loads. */
const FIRST_PAUSE = 5
const LONGEST_PAUSE = 40

/**
 * Finds the value of a key that the near tier does not have, or not fresh.
 *
 * Steps: *reading* the far tier, together with whatever else is read in this turn; *checking* the numbers of an envelope's tags, if they are not known; *taking its
 * turn*: one process loads, the others wait and read again; *loading*; *keeping*. A usable stale value answers those who wait when `softTimeout` is over, and the run goes
 * on for those to come.
 *
 * What makes it coherent: the key's version is read before the load, and the write expects it still to be there; the tags' numbers are read before
 * the load, and the envelope carries them; the near entry carries the count of invalidations of before the load. Whatever is invalidated meanwhile differs from them.
 */
export class LoadRun implements FarReader {
  /** With its namespace. */
  readonly key: string
  readonly flight: Flight
  readonly #plan: RunPlan
  readonly #tags: readonly Tag[]
  #fallback: CacheEntry | undefined
  /** When the value that is being looked at, or loaded, was the store's; and the count of invalidations then. */
  #askedAt = 0
  #sequence = 0
  #version: FarVersion | undefined
  #lease: LoadLease | undefined
  #waitUntil = 0
  #pause = FIRST_PAUSE
  #isSpared = false
  #cancelSoft = () => {}
  #end: () => void = () => {}

  constructor(plan: RunPlan) {
    const { space, key, policy, fallback } = plan
    const { tags, flights } = space.core
    this.#plan = plan
    this.key = space.form.whole + key
    this.#tags = policy.tags.length === 0 ? [] : policy.tags.map((name) => tags.take(name))
    this.flight = new Flight({
      key: this.key,
      cache: space.name,
      counts: space.counts,
      sequence: tags.sequence,
      tags: this.#tags.length === 0 ? space.ownTags : [...space.ownTags, ...this.#tags],
      canLoad: plan.load !== undefined,
    })
    this.#fallback = fallback
    flights.begin(this.flight)
  }

  /** Begins. The flight is answered sooner or later. */
  start(): Flight {
    const { space, softTimeout } = this.#plan
    const { clock, flights, waitLimit } = space.core
    this.#waitUntil = clock.elapsed() + waitLimit
    flights.inBackground(new Promise<void>((resolve) => (this.#end = resolve)))
    if (softTimeout !== undefined) this.#serveStaleAfter(softTimeout)
    this.#read()
    return this.flight
  }

  onReading(reading: FarReading | undefined): void {
    this.#version = reading?.version
    const envelope = reading?.envelope && this.#plan.space.format!.open(this.key, reading.envelope)
    if (!envelope || envelope.rejected) this.#goOn()
    else this.#check(envelope)
  }

  #read(): void {
    const { far, clock, tags } = this.#plan.space.core
    this.#askedAt = this.flight.askedAt = clock.elapsed()
    this.#sequence = this.flight.sequence = tags.sequence
    if (far?.isUp && this.#plan.space.format) far.read(this)
    else this.onReading(undefined)
  }

  #check(envelope: Envelope): void {
    const numbers = this.#plan.space.core.numbers!
    const verdict = numbers.verdictOn(this.key, envelope.tags)
    if (verdict === 'valid') this.#decode(envelope)
    else if (verdict === 'void') this.#goOn()
    else
      void numbers
        .learn(envelope.tags.map(({ name }) => name))
        .then(() => (numbers.verdictOn(this.key, envelope.tags) === 'valid' ? this.#decode(envelope) : this.#goOn()))
  }

  #decode(envelope: Envelope): void {
    const decoded = this.#plan.space.format!.decode(envelope)
    if (decoded instanceof Promise) void decoded.then((value) => this.#consider(envelope, value))
    else this.#consider(envelope, decoded)
  }

  /** What the far tier has: fresh, stale, or of no use. */
  #consider(envelope: Envelope, decoded: Decoded): void {
    const entry = decoded.rejected ? undefined : this.#entryOf(envelope, decoded.value)
    const now = this.#plan.space.core.clock.elapsed()
    const isDue = this.#plan.isRefresh && entry !== undefined && now >= entry.calmUntil
    if (!entry || now >= entry.usableUntil) this.#goOn()
    else if (now < entry.freshUntil && !isDue) {
      this.#keep(entry)
      this.flight.answerWith(entry.value, 'hit', 'far')
      this.#finish()
    } else {
      this.#fallback = entry
      this.#keep(entry)
      if (!this.#plan.isRefresh) this.#serveStaleAfter(this.#plan.policy.softTimeout)
      this.#goOn()
    }
  }

  #entryOf({ created, fresh, usable, tags, bytes }: Envelope, value: unknown): CacheEntry | undefined {
    const { space, key } = this.#plan
    const { clock, far, numbers, tags: table } = space.core
    let checked: unknown
    try {
      checked = space.checked(value, key)
    } catch {
      // Of a release with another schema.
      return undefined
    }
    const bornAt = clock.elapsed() - Math.max(0, far!.now() - created)
    return {
      key: space.form.near + key,
      value: checked,
      freshUntil: bornAt + fresh,
      usableUntil: bornAt + usable,
      checkedAt: Math.min(this.#askedAt, numbers!.certainAt(tags)),
      sequence: this.#sequence,
      tags: tags.filter(({ name }) => !isFence(name)).map(({ name }) => table.take(name)),
      bytes: space.weight(key, value, bytes),
      calmUntil: bornAt + calmFor(fresh, this.#plan.policy.eagerRefresh),
      isStale: false,
    }
  }

  #keep(entry: CacheEntry): void {
    if (!areTagsValid(entry.tags, entry.sequence)) this.flight.isOutdated = true
    else if (!this.flight.isVoid) this.#plan.space.keep(entry)
  }

  /** There is nothing to be served: it has to be loaded, by this process or another. */
  #goOn(): void {
    const { load } = this.#plan
    if (load) {
      void this.#advance(load)
      return
    }
    this.flight.answerWith(undefined, 'miss', 'source')
    this.#finish()
  }

  async #advance(load: Load): Promise<void> {
    try {
      const turn = await this.#takeTurn()
      if (turn === 'read') return this.#read()
      if (turn === 'leave') return this.#leave()
      await this.#load(load)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Whose turn it is: this process loads, or reads what another has loaded, or leaves it to that one. */
  async #takeTurn(): Promise<'load' | 'read' | 'leave'> {
    const { far, clock } = this.#plan.space.core
    if (!far?.isUp || this.#version === undefined) return 'load'
    this.#lease ??= new LoadLease(far, clock, this.key)
    for (;;) {
      const answer = await this.#lease.acquire(this.#version)
      if (answer === 'changed') return 'read'
      if (answer !== 'held') return 'load'
      this.#spare()
      if (this.#plan.isRefresh || this.flight.isAnswered) return 'leave'
      if (clock.elapsed() >= this.#waitUntil) return 'load'
      await sleep(clock, this.#pause)
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
    }
  }

  /** Another process replaces what was served. */
  #leave(): void {
    if (this.#fallback) this.flight.answerWith(this.#fallback.value, 'stale', 'near')
    this.#finish()
  }

  async #load(load: Load): Promise<void> {
    const { space, key, policy } = this.#plan
    const { clock, numbers, tags } = space.core
    const before = this.#version !== undefined && numbers ? await numbers.find(space.farTags(this.#tags)) : undefined
    this.#askedAt = this.flight.askedAt = clock.elapsed()
    this.#sequence = this.flight.sequence = tags.sequence
    const floor = tags.greatest
    const loaded = await this.#call(load)
    const value = space.checked(loaded.value, key)
    const life = loaded.wishes.isSkipped ? undefined : lifeOf(policy, value, loaded.wishes.life, space.core.random)
    if (life) this.#keepLoaded(value, life, loaded, before && { tags: before, floor })
    else this.#lease?.release()
    this.flight.answerWith(value, 'miss', 'source')
    this.#finish()
  }

  async #call(load: Load): Promise<Loaded> {
    const { space, key, policy } = this.#plan
    const { clock } = space.core
    const { counts } = space
    const from = clock.elapsed()
    const ended = (error: Error | undefined) => {
      const ms = clock.elapsed() - from
      counts.loads++
      counts.loadMs += ms
      if (error) counts.loadErrors++
      if (cacheLoad.hasSubscribers)
        cacheLoad.publish({ requestId: this.flight.requestId, cache: space.name, ms, error })
    }
    try {
      const loaded = await callLoad({ clock, load, key, stale: this.#fallback?.value, limit: policy.loadTimeout })
      ended(undefined)
      return loaded
    } catch (error) {
      ended(toError(error))
      throw error
    }
  }

  #keepLoaded(value: unknown, life: Life, { wishes }: Loaded, far: FarBefore | undefined): void {
    const { space, key } = this.#plan
    const { tags: table, clock, flights } = space.core
    const wished = wishes.tags.map((name) => table.take(name))
    const entry = space.entryOf({
      key,
      value,
      life,
      tags: [...this.#tags, ...wished],
      sequence: this.#sequence,
      checkedAt: this.#askedAt,
      bornAt: clock.elapsed(),
      bytes: space.weight(key, value, undefined),
    })
    this.flight.isOutdated = !areTagsValid(entry.tags, entry.sequence)
    const isKept = !this.flight.isVoid && !this.flight.isOutdated
    // Before those who wait have the value, and might change it.
    if (isKept && far) flights.inBackground(this.#write(value, life, wished, far))
    else this.#lease?.release()
    if (isKept) space.keep(entry)
    else space.counts.outdated++
  }

  /** Stores a loaded value, if nothing was invalidated since its load began. Never rejects. */
  async #write(value: unknown, life: Life, wished: readonly Tag[], { tags, floor }: FarBefore): Promise<void> {
    const { space, key } = this.#plan
    const { numbers, far } = space.core
    try {
      const more = wished.length === 0 ? [] : await numbers!.find(wished)
      // Beyond what the counter stood at before the load: invalidated since, or not to be told from it.
      const isOutdated = !more || more.some(({ number }) => number > floor)
      const envelope = isOutdated
        ? undefined
        : await space.envelopeOf(key, value, life, more.length === 0 ? tags : [...tags, ...more])
      if (!envelope || this.flight.isVoid) return this.#lease?.release()
      const lease = this.#lease?.token
      this.#lease?.end()
      const isStored = await far!.write({
        key: this.key,
        envelope,
        ttl: Math.ceil(life.ttl + life.grace),
        expected: this.#version!,
        ...(lease === undefined ? {} : { lease }),
      })
      if (isStored === false) space.counts.outdated++
    } catch (error) {
      this.#lease?.release()
      space.refuse(toError(error))
    }
  }

  /** The load has failed: what there was is served a while longer, if it may. */
  #fail(error: unknown): void {
    this.#lease?.release()
    const fallback = this.#fallback
    const now = this.#plan.space.core.clock.elapsed()
    if (fallback && now < fallback.usableUntil) {
      const isTrusted = this.#plan.space.core.trust.holds(fallback.checkedAt, now)
      this.#keep(backedOff(fallback, now, this.#plan.policy.failBackoff, isTrusted))
      this.flight.answerWith(fallback.value, 'stale', 'near')
    } else this.flight.failWith(error)
    this.#finish()
  }

  #serveStaleAfter(ms: number): void {
    this.#cancelSoft()
    const serve = () => {
      if (this.#fallback) this.flight.answerWith(this.#fallback.value, 'stale', 'near')
    }
    if (ms > 0) this.#cancelSoft = this.#plan.space.core.clock.after(ms, serve)
    else serve()
  }

  #spare(): void {
    if (this.#isSpared) return
    this.#isSpared = true
    this.#plan.onSpared?.()
  }

  #finish(): void {
    this.#cancelSoft()
    this.#spare()
    this.#plan.space.core.flights.end(this.flight)
    this.#end()
  }
}

/** What was known of the tags before a load began. */
interface FarBefore {
  readonly tags: readonly { readonly name: string; readonly number: number }[]
  /** The greatest number that had been heard of. */
  readonly floor: number
}

/** An entry whose replacement could not be loaded: served until the next attempt, as stale unless its time is not over yet. */
function backedOff(entry: CacheEntry, now: number, backoff: number, isTrusted: boolean): CacheEntry {
  const until = Math.min(now + backoff, entry.usableUntil)
  if (isTrusted && now < entry.freshUntil && !entry.isStale)
    return { ...entry, calmUntil: Math.min(until, entry.freshUntil) }
  return { ...entry, freshUntil: until, calmUntil: until, checkedAt: now, isStale: true }
}
