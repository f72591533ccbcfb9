import { cacheAccess, currentContext } from '@tailwater/core'
import type { CacheEntry } from '../entry.ts'
import type { FarReading } from '../far/far_backend.ts'
import type { Policy } from '../policy.ts'
import type { Space } from '../space.ts'
import { areTagsValid } from '../tag_table.ts'
import { type Asked, farEntryOf } from './far_entry.ts'
import type { Watcher } from './flights.ts'
import { count } from './search.ts'
import type { EarlyReading } from './search_plan.ts'

/** What is looked for. */
export interface ManySearch {
  readonly space: Space
  /** Without their namespace; checked. A key may come twice. */
  readonly keys: readonly string[]
  readonly policy: Policy
  /** Searches one key that takes more than to be read: what is loaded, stale, already being found. Called for all such keys before anything is awaited. */
  one(at: number, early: EarlyReading | undefined): Promise<unknown>
  /** `one` was called for all. */
  onAllAsked?(): void
}

/** Keys from which on they are read by a call of their own; fewer go with what others ask for in this turn. */
const FEW = 8

/** The values of many keys, in their order: those that the near tier lacks are read from the far tier by one call of their own. */
export async function searchMany(search: ManySearch): Promise<unknown[]> {
  const { keys, one, onAllAsked } = search
  const values = new Array<unknown>(keys.length)
  const { absent, others, repeats } = lookNear(search, values)
  const waiting: Promise<void>[] = []
  const ask = (at: number, early: EarlyReading | undefined) => {
    const found = one(at, early).then((value) => {
      values[at] = value
    })
    waiting.push(found)
  }
  if (absent.length < FEW) others.push(...absent)
  else {
    const reading = new ManyReading(search, absent)
    await reading.run()
    for (const [index, at] of absent.entries()) {
      const entry = reading.entryAt(index)
      if (entry) values[at] = entry.value
      else ask(at, reading.earlyAt(index))
    }
  }
  for (const at of others) ask(at, undefined)
  onAllAsked?.()
  if (waiting.length > 0) await Promise.all(waiting)
  for (const [at, first] of repeats) values[at] = values[first]
  return values
}

interface NotNear {
  /** Positions of keys that nobody has or is bringing here. */
  readonly absent: number[]
  readonly others: number[]
  /** Positions of keys that came before, and where. */
  readonly repeats: [at: number, first: number][]
}

/** Takes what can be served from the near tier, and sorts the rest. */
function lookNear({ space, keys }: ManySearch, values: unknown[]): NotNear {
  const absent: number[] = []
  const others: number[] = []
  const repeats: [number, number][] = []
  const firsts = new Map<string, number>()
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at]!
    const entry = space.find(space.form.near + key)
    const first = entry ? undefined : firsts.get(key)
    if (entry) {
      values[at] = entry.value
      count(space, entry.isStale)
    } else if (first !== undefined) repeats.push([at, first])
    else {
      firsts.set(key, at)
      if (isPlainlyAbsent(space, key)) absent.push(at)
      else others.push(at)
    }
  }
  return { absent, others, repeats }
}

/** Nothing is near that could be served, and nobody is bringing it. */
function isPlainlyAbsent({ core, near, form, format }: Space, key: string): boolean {
  return (
    core.far?.isUp === true &&
    format !== undefined &&
    near.peek(form.near + key) === undefined &&
    core.flights.get(form.whole + key) === undefined
  )
}

/**
 * One reading of many keys, which nobody joins. What takes no further question (whole, fresh, its tags known to be valid) is kept near like what a single run finds; the rest is
 * handed on as it was read. What is invalidated meanwhile is for this caller, who has asked before, and is not kept.
 */
class ManyReading implements Watcher {
  readonly #space: Space
  readonly #eagerRefresh: number
  readonly #keys: readonly string[]
  readonly #wholes: readonly string[]
  readonly #asked: Asked
  #readings: readonly (FarReading | undefined)[] = []
  #now = 0
  #void: Set<string> | undefined
  readonly #voidPatterns: ((key: string) => boolean)[] = []

  /** @param positions of the keys that are to be read */
  constructor({ space, keys, policy }: ManySearch, positions: readonly number[]) {
    this.#space = space
    this.#eagerRefresh = policy.eagerRefresh
    this.#keys = positions.map((at) => keys[at]!)
    this.#wholes = this.#keys.map((key) => space.form.whole + key)
    this.#asked = { askedAt: space.core.clock.elapsed(), sequence: space.core.tags.sequence }
  }

  async run(): Promise<void> {
    const { far, flights, clock } = this.#space.core
    flights.watch(this)
    this.#readings = await far!.readMany(this.#wholes)
    flights.unwatch(this)
    this.#now = clock.elapsed()
  }

  onInvalid(key: string): void {
    this.#void ??= new Set()
    this.#void.add(key)
  }

  onAllInvalid(fits: (key: string) => boolean): void {
    this.#voidPatterns.push(fits)
  }

  /** The value, kept near and counted, if there is nothing more to be asked. */
  entryAt(index: number): CacheEntry | undefined {
    const entry = this.#open(index)
    if (!entry || this.#now >= entry.freshUntil) return undefined
    const { name, counts } = this.#space
    if (!this.#isVoid(index) && areTagsValid(entry.tags, entry.sequence)) this.#space.keep(entry)
    counts.farHits++
    if (cacheAccess.hasSubscribers)
      cacheAccess.publish({ requestId: currentContext()?.requestId, cache: name, outcome: 'hit', tier: 'far' })
    return entry
  }

  /** What was read, for who goes on with it; undefined if it has to be read again. */
  earlyAt(index: number): EarlyReading | undefined {
    const reading = this.#readings[index]
    return reading && !this.#isVoid(index) ? { reading, ...this.#asked } : undefined
  }

  #open(index: number): CacheEntry | undefined {
    const space = this.#space
    const bytes = this.#readings[index]?.envelope
    if (!bytes) return undefined
    const envelope = space.format!.open(this.#wholes[index]!, bytes)
    const judgement = envelope.rejected ? undefined : space.judge(envelope.tags)
    if (envelope.rejected || !judgement) return undefined
    const decoded = space.format!.decode(envelope)
    if (decoded instanceof Promise || decoded.rejected) return undefined
    const key = this.#keys[index]!
    const find = { space, key, envelope, value: decoded.value, asked: this.#asked, judgement }
    return farEntryOf({ ...find, eagerRefresh: this.#eagerRefresh, now: this.#now })
  }

  #isVoid(index: number): boolean {
    const whole = this.#wholes[index]!
    return this.#void?.has(whole) === true || this.#voidPatterns.some((fits) => fits(whole))
  }
}
