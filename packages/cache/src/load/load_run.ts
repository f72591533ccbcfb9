import { cacheLoad, toError } from '@tailwater/core'
import { backedOff, type CacheEntry, calmFor } from '../entry.ts'
import type { Decoded, Envelope, EnvelopeTag } from '../envelope/envelope.ts'
import type { FarReading, FarVersion, FarWrite } from '../far/far_backend.ts'
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
    flights.workBegins()
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
    if (load) this.#takeTurn(load)
    else {
      this.flight.answerWith(undefined, 'miss', 'source')
      this.#finish()
    }
  }

  /** Whose turn it is: this process loads, or reads what another has loaded, or leaves it to that one. */
  #takeTurn(load: Load): void {
    const { far, clock } = this.#plan.space.core
    if (!far?.isUp || this.#version === undefined) {
      this.#load(load)
      return
    }
    this.#lease ??= new LoadLease(far, clock, this.key, (granting) => {
      if (granting === 'changed') this.#read()
      else if (granting === 'held') this.#wait(load)
      else this.#load(load)
    })
    this.#lease.acquire(this.#version)
  }

  /** Another process loads. */
  #wait(load: Load): void {
    const { clock } = this.#plan.space.core
    this.#spare()
    if (this.#plan.isRefresh || this.flight.isAnswered) this.#leave()
    else if (clock.elapsed() >= this.#waitUntil) this.#load(load)
    else {
      clock.after(this.#pause, () => this.#takeTurn(load))
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE)
    }
  }

  /** Another process replaces what was served. */
  #leave(): void {
    if (this.#fallback) this.flight.answerWith(this.#fallback.value, 'stale', 'near')
    this.#finish()
  }

  #load(load: Load): void {
    const { space } = this.#plan
    const numbers = this.#version === undefined ? undefined : space.core.numbers
    const tags = space.farTags(this.#tags)
    const known = numbers?.known(tags)
    if (known || !numbers) this.#run(load, known)
    else void numbers.find(tags).then((found) => this.#run(load, found))
  }

  /** @param before the tags' numbers; undefined if the value is not for the far tier */
  #run(load: Load, before: readonly EnvelopeTag[] | undefined): void {
    const { space, key, policy } = this.#plan
    const { clock, tags } = space.core
    const from = clock.elapsed()
    this.#askedAt = this.flight.askedAt = from
    this.#sequence = this.flight.sequence = tags.sequence
    const far = before && { tags: before, floor: tags.greatest }
    callLoad({ clock, load, key, stale: this.#fallback?.value, limit: policy.loadTimeout }).then(
      (loaded) => {
        this.#count(from, undefined)
        this.#loaded(loaded, far)
      },
      (error: unknown) => {
        this.#count(from, toError(error))
        this.#fail(error)
      },
    )
  }

  #count(from: number, error: Error | undefined): void {
    const { name, counts, core } = this.#plan.space
    const ms = core.clock.elapsed() - from
    counts.loads++
    counts.loadMs += ms
    if (error) counts.loadErrors++
    if (cacheLoad.hasSubscribers) cacheLoad.publish({ requestId: this.flight.requestId, cache: name, ms, error })
  }

  #loaded(loaded: Loaded, far: FarBefore | undefined): void {
    const { space, key, policy } = this.#plan
    let value: unknown
    try {
      value = space.checked(loaded.value, key)
      const life = loaded.wishes.isSkipped ? undefined : lifeOf(policy, value, loaded.wishes.life, space.core.random)
      if (life) this.#keepLoaded(value, life, loaded, far)
      else this.#lease?.release()
    } catch (error) {
      this.#fail(error)
      return
    }
    this.flight.answerWith(value, 'miss', 'source')
    this.#finish()
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
    if (isKept && far) {
      flights.workBegins()
      this.#envelop(value, life, wished, far)
    } else this.#lease?.release()
    if (isKept) space.keep(entry)
    else space.counts.outdated++
  }

  /** Makes the envelope of a loaded value, if nothing was invalidated since its load began, and has it stored. Never throws. */
  #envelop(value: unknown, life: Life, wished: readonly Tag[], before: FarBefore): void {
    const { space, key } = this.#plan
    try {
      const envelope =
        wished.length === 0
          ? space.envelopeOf(key, value, life, before.tags)
          : this.#envelopeOf(value, life, wished, before)
      if (envelope instanceof Promise)
        envelope.then(
          (bytes) => this.#store(bytes, life),
          (error: unknown) => this.#unstored(error),
        )
      else this.#store(envelope, life)
    } catch (error) {
      this.#unstored(error)
    }
  }

  /** That of a value whose load named tags of its own; undefined if one of those was invalidated since. */
  async #envelopeOf(
    value: unknown,
    life: Life,
    wished: readonly Tag[],
    { tags, floor }: FarBefore,
  ): Promise<Buffer | undefined> {
    const { space, key } = this.#plan
    const more = await space.core.numbers!.find(wished)
    // Beyond what the counter stood at before the load: invalidated since, or not to be told from it.
    if (!more || more.some(({ number }) => number > floor)) return undefined
    return space.envelopeOf(key, value, life, [...tags, ...more])
  }

  #store(envelope: Buffer | undefined, life: Life): void {
    const { core, counts } = this.#plan.space
    if (!envelope || this.flight.isVoid) {
      this.#lease?.release()
      core.flights.workEnds()
      return
    }
    const lease = this.#lease?.isHeld ? this.#lease.token : undefined
    this.#lease?.end()
    const write: FarWrite = {
      key: this.key,
      envelope,
      ttl: Math.ceil(life.ttl + life.grace),
      expected: this.#version!,
      ...(lease === undefined ? {} : { lease }),
    }
    core.far!.store(write, (isStored) => {
      if (isStored === false) counts.outdated++
      core.flights.workEnds()
    })
  }

  #unstored(error: unknown): void {
    this.#lease?.release()
    this.#plan.space.refuse(toError(error))
    this.#plan.space.core.flights.workEnds()
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
    const { flights } = this.#plan.space.core
    flights.end(this.flight)
    flights.workEnds()
  }
}

/** What was known of the tags before a load began. */
interface FarBefore {
  readonly tags: readonly EnvelopeTag[]
  /** The greatest number that had been heard of. */
  readonly floor: number
}
