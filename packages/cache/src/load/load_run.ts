import { cacheLoad, toError } from '@tailwater/core'
import { backedOff, type CacheEntry } from '../entry.ts'
import type { Decoded, Envelope, EnvelopeTag } from '../envelope/envelope.ts'
import type { FarClaim, FarReading, FarVersion } from '../far/far_backend.ts'
import type { FarReader, Granting } from '../far_tier/far_tier.ts'
import type { Judgement } from '../far_tier/tag_numbers.ts'
import { type Life, lifeOf } from '../policy.ts'
import type { Tag } from '../tag.ts'
import { areTagsValid } from '../tag_table.ts'
import { farEntryOf } from './far_entry.ts'
import { Flight } from './flight.ts'
import { callLoad } from './load_call.ts'
import type { Load, LoadWishes } from './load_context.ts'
import { type LeaseOwner, LoadLease } from './load_lease.ts'
import type { Search } from './search_plan.ts'
import { type FarBefore, storeLoaded } from './store_loaded.ts'

/** What a run begins with. */
export interface RunStart {
  /** The key with its namespace. */
  readonly whole: string
  /** An entry of the near tier that is served when everything else fails. */
  readonly fallback: CacheEntry | undefined
  /** Milliseconds after which the fallback answers those who wait; undefined if it must not, because it is not trusted. */
  readonly softTimeout: number | undefined
  /** Nobody waits: a value was served, and is to be replaced. */
  readonly isRefresh: boolean
}

/** Milliseconds between two looks at what another process loads. */
const FIRST_PAUSE = 5
const LONGEST_PAUSE = 40
/** Share of late readings that were nothing, above which the next is asked for together with the lease: a script costs the store more than a plain reading. */
const MOSTLY_MISSES = 0.5
/** The latest reading counts for one part of so many. */
const MEMORY = 8

const nothing = () => {}

/**
 * Finds the value of a key that the near tier does not have, or not fresh.
 *
 * Steps: *reading* the far tier, together with whatever else is read in this turn; *checking* the numbers of an envelope's tags, if they are not known; *taking its
 * turn*: one process loads, the others wait and read again; *loading*; *keeping*. Where nothing is expected to be there, reading and taking one's turn are one call. A usable stale value
 * answers those who wait when `softTimeout` is over, and the run goes on for those to come.
 *
 * What makes it coherent: the key's version is read before the load, and the write expects it still to be there; the tags' numbers are read before
 * the load, and the envelope carries them; the near entry carries the count of invalidations of before the load. Whatever is invalidated meanwhile differs from them.
 */
export class LoadRun implements FarReader, LeaseOwner {
  /** With its namespace. */
  readonly key: string
  readonly flight: Flight
  readonly #plan: Search
  readonly #isRefresh: boolean
  readonly #tags: readonly Tag[]
  #fallback: CacheEntry | undefined
  /** When the value that is being looked at, or loaded, was the store's; and the count of invalidations then. */
  #askedAt = 0
  #sequence = 0
  #version: FarVersion | undefined
  #lease: LoadLease | undefined
  /** What became of the lease that was asked for with the reading. */
  #claimed: Granting
  #waitUntil = 0
  #pause = FIRST_PAUSE
  #isSpared = false
  #cancelSoft = nothing

  constructor(plan: Search, { whole, fallback, isRefresh }: RunStart) {
    const { space, policy } = plan
    const { tags, flights } = space.core
    this.#plan = plan
    this.#isRefresh = isRefresh
    this.key = whole
    this.#tags = policy.tags.length === 0 ? NO_TAGS : policy.tags.map((name) => tags.take(name))
    this.flight = new Flight({
      key: this.key,
      cache: space.name,
      counts: space.counts,
      sequence: tags.sequence,
      tags: space.nearTags(this.#tags),
      canLoad: plan.load !== undefined,
    })
    this.#fallback = fallback
    flights.begin(this.flight)
  }

  /** Begins. The flight is answered sooner or later. */
  start(softTimeout: number | undefined): Flight {
    const { space, early } = this.#plan
    const { clock, flights, waitLimit } = space.core
    const now = clock.elapsed()
    this.#waitUntil = now + waitLimit
    flights.workBegins()
    if (softTimeout !== undefined) this.#serveStaleAfter(softTimeout)
    if (early) {
      this.#asked(early.askedAt, early.sequence)
      this.onReading(early.reading)
    } else this.#read(now)
    return this.flight
  }

  onReading(reading: FarReading | undefined): void {
    const { space } = this.#plan
    this.#version = reading?.version
    if (reading) space.missShare += ((reading.envelope ? 0 : 1) - space.missShare) / MEMORY
    const envelope = reading?.envelope && space.format!.open(this.key, reading.envelope)
    if (!envelope || envelope.rejected) this.#goOn()
    else this.#check(envelope)
  }

  onClaim(claim: FarClaim | undefined): void {
    this.#claimed = claim?.lease
    this.onReading(claim?.reading)
  }

  onGranting(granting: Granting): void {
    const load = this.#plan.load!
    if (granting === 'changed') this.#read(this.#plan.space.core.clock.elapsed())
    else if (granting === 'held') this.#wait(load)
    else this.#load(load)
  }

  #read(now: number): void {
    const { space, load } = this.#plan
    const { far, deadlines, tags } = space.core
    this.#asked(now, tags.sequence)
    if (!far?.isUp || !space.format) this.onReading(undefined)
    else if (load && !this.#fallback && space.missShare > MOSTLY_MISSES) {
      this.#lease ??= new LoadLease(far, deadlines, this.key, this)
      this.#lease.claim()
    } else far.read(this)
  }

  #asked(at: number, sequence: number): void {
    this.#askedAt = this.flight.askedAt = at
    this.#sequence = this.flight.sequence = sequence
  }

  #check(envelope: Envelope): void {
    const { space } = this.#plan
    const judgement = space.judge(envelope.tags)
    const numbers = space.core.numbers!
    const verdict = judgement ? 'valid' : numbers.verdictOn(this.key, envelope.tags)
    if (verdict === 'valid') this.#decode(envelope, judgement)
    else if (verdict === 'void') this.#goOn()
    else
      void numbers
        .learn(envelope.tags.map(({ name }) => name))
        .then(() =>
          numbers.verdictOn(this.key, envelope.tags) === 'valid' ? this.#decode(envelope, undefined) : this.#goOn(),
        )
  }

  #decode(envelope: Envelope, judgement: Judgement | undefined): void {
    const decoded = this.#plan.space.format!.decode(envelope)
    // A judgement is of the moment.
    if (decoded instanceof Promise) void decoded.then((value) => this.#consider(envelope, value, undefined))
    else this.#consider(envelope, decoded, judgement)
  }

  /** What the far tier has: fresh, stale, or of no use. */
  #consider(envelope: Envelope, decoded: Decoded, judgement: Judgement | undefined): void {
    const { space, key, policy } = this.#plan
    const now = space.core.clock.elapsed()
    const { eagerRefresh } = policy
    const asked = { askedAt: this.#askedAt, sequence: this.#sequence }
    const entry = decoded.rejected
      ? undefined
      : farEntryOf({ space, key, envelope, value: decoded.value, asked, judgement, eagerRefresh, now })
    const isDue = this.#isRefresh && entry !== undefined && now >= entry.calmUntil
    if (!entry || now >= entry.usableUntil) this.#goOn()
    else if (now < entry.freshUntil && !isDue) {
      this.#keep(entry)
      this.flight.answerWith(entry.value, 'hit', 'far')
      this.#finish()
    } else {
      this.#fallback = entry
      this.#keep(entry)
      if (!this.#isRefresh) this.#serveStaleAfter(policy.softTimeout)
      this.#goOn()
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
    const { far, deadlines } = this.#plan.space.core
    const claimed = this.#claimed
    this.#claimed = undefined
    if (!far?.isUp || this.#version === undefined) this.#load(load)
    else if (claimed) this.onGranting(claimed)
    else {
      this.#lease ??= new LoadLease(far, deadlines, this.key, this)
      this.#lease.acquire(this.#version)
    }
  }

  /** Another process loads. */
  #wait(load: Load): void {
    const { clock } = this.#plan.space.core
    this.#spare()
    if (this.#isRefresh || this.flight.isAnswered) this.#leave()
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
    const { clock, deadlines, chain, tags } = space.core
    const from = clock.elapsed()
    this.#asked(from, tags.sequence)
    const far = before && { tags: before, floor: tags.greatest }
    callLoad({
      deadlines,
      chain,
      flight: this.flight,
      load,
      key,
      stale: this.#fallback?.value,
      limit: policy.loadTimeout,
      onLoaded: (value, wishes) => {
        this.#count(from, undefined)
        this.#loaded(value, wishes, far)
      },
      onError: (error) => {
        this.#count(from, toError(error))
        this.#fail(error)
      },
    })
  }

  #count(from: number, error: Error | undefined): void {
    const { name, counts, core } = this.#plan.space
    const ms = core.clock.elapsed() - from
    counts.loads++
    counts.loadMs += ms
    if (error) counts.loadErrors++
    if (cacheLoad.hasSubscribers) cacheLoad.publish({ requestId: this.flight.requestId, cache: name, ms, error })
  }

  #loaded(loaded: unknown, wishes: LoadWishes, far: FarBefore | undefined): void {
    const { space, key, policy } = this.#plan
    let value: unknown
    try {
      value = space.checked(loaded, key)
      const life = wishes.isSkipped ? undefined : lifeOf(policy, value, wishes.life, space.core.random)
      if (life) this.#keepLoaded(value, life, wishes, far)
      else this.#lease?.release()
    } catch (error) {
      this.#fail(error)
      return
    }
    this.flight.answerWith(value, 'miss', 'source')
    this.#finish()
  }

  #keepLoaded(value: unknown, life: Life, wishes: LoadWishes, far: FarBefore | undefined): void {
    const { space, key } = this.#plan
    const { tags: table, clock } = space.core
    const { flight } = this
    const wished = wishes.tags.length === 0 ? NO_TAGS : wishes.tags.map((name) => table.take(name))
    const tags = space.nearTags(wished.length === 0 ? this.#tags : [...this.#tags, ...wished])
    const sequence = this.#sequence
    flight.isOutdated = !areTagsValid(tags, sequence)
    if (flight.isVoid || flight.isOutdated) {
      this.#lease?.release()
      space.counts.outdated++
      return
    }
    // Before those who wait have the value, and might change it.
    const loaded = { space, key, value, life, wished, flight, lease: this.#lease }
    const envelope = far && storeLoaded({ ...loaded, before: far, version: this.#version! })
    if (!far) this.#lease?.release()
    const bytes = space.weight(key, value, envelope)
    space.keep(
      space.entryOf({ key, value, life, tags, sequence, checkedAt: this.#askedAt, bornAt: clock.elapsed(), bytes }),
    )
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

const NO_TAGS: readonly Tag[] = []
