import { randomBytes } from 'node:crypto'
import { type Clock, createService, type Service } from '@tailwater/core'
import { BrokenCircuitError } from 'cockatiel'
import type {
  FarBackend,
  FarClaim,
  FarReading,
  FarWrite,
  LeaseAnswer,
  LeaseClaim,
  LeaseWish,
} from '../far/far_backend.ts'
import { createStoreTime } from '../far/store_time.ts'
import { Awaited } from './awaited.ts'
import { Breaker, type FarState } from './breaker.ts'
import { Distrust } from './distrust.ts'
import { Gather } from './gather.ts'
import { FarTimeout, within } from './time_limit.ts'

/** Who asked for a key; called once, with undefined when the far tier cannot say. */
export interface FarReader {
  readonly key: string
  onReading(reading: FarReading | undefined): void
}

/** Who asked for a key and for the right to load it; called once, with undefined when the far tier cannot say. */
export interface FarClaimer extends LeaseClaim {
  onClaim(claim: FarClaim | undefined): void
}

/** What a far tier is made from. */
export interface FarTierOptions {
  backend: FarBackend
  clock: Clock
  /** Milliseconds that a call may take. */
  timeout: number
  /** Milliseconds after which a dead holder's load lease is free. */
  leaseTtl: number
  /** The store is used again, or no longer. */
  onChange(state: FarState, error: Error | undefined): void
  /** A call failed. */
  onError(error: Error, operation: string): void
  /** Pending invalidations have reached the store; with the new number of the tags. */
  onReplayed(tags: Iterable<string>, number: number): void
}

/** Whether a key may be loaded; undefined when the store cannot say. */
export type Granting = LeaseAnswer | undefined

/** Who asks for a lease; called once. */
export interface LeaseAsker extends LeaseWish {
  onGranting(granting: Granting): void
}

interface Write {
  readonly write: FarWrite
  settle(isStored: boolean | undefined): void
}

/** Milliseconds between two measurements of the store's time. */
const MEASURE_EVERY = 300_000
/** Keys of one turn from which on they set off before it is over. */
const EAGER_READS = 32
/** Keys of one call at most. */
const MAX_READS = 500
/** Envelopes of one call, which has this many times the limit of others: hardly anybody waits for it. */
const WRITE_BATCH = 200
const WRITE_PATIENCE = 2
/** Keys of one call that invalidates. */
const INVALIDATE_BATCH = 1_000

/**
 * A shared store as the engine uses it: calls gathered by the turn of the event loop, limited in time, kept away from a store that does not answer, and never
 * failing: what the store cannot say is undefined.
 *
 * Nothing is queued for a store that is away but invalidations, and those go out before anything is read from it again.
 */
export class FarTier {
  readonly counts = { reads: 0, writes: 0, errors: 0, timeouts: 0, bytesRead: 0, bytesWritten: 0 }
  readonly leaseTtl: number
  /** Invalidations that the store has yet to hear of from here. */
  readonly distrust = new Distrust()
  /** Invalidations that it will hear of from the outbox. */
  readonly awaitedKeys: Awaited
  readonly awaitedTags: Awaited
  readonly breaker: Breaker
  readonly service: Service
  readonly #options: FarTierOptions
  readonly #time: ReturnType<typeof createStoreTime>
  readonly #reads = new Gather<FarReader>((readers) => void this.#read(readers), EAGER_READS)
  readonly #claims = new Gather<FarClaimer>((claimers) => void this.#claim(claimers), EAGER_READS)
  readonly #askers = new Gather<LeaseAsker>((askers) => void this.#acquire(askers), EAGER_READS)
  /** What the tokens of this process begin with. */
  readonly #tokens = `${randomBytes(12).toString('base64url')}-`
  #tokenCount = 0
  #writes: Write[] = []
  #isWriting = false
  #flushing: Promise<unknown> = Promise.resolve()
  #cancelMeasuring = () => {}

  constructor(options: FarTierOptions) {
    const { backend, clock, leaseTtl, onChange } = options
    this.#options = options
    this.leaseTtl = leaseTtl
    this.awaitedKeys = new Awaited(clock)
    this.awaitedTags = new Awaited(clock)
    this.#time = createStoreTime(() => backend.time(), clock)
    this.breaker = new Breaker({ clock, recover: () => this.#recover(), onChange })
    this.service = createService('far-tier', {
      start: async () => {
        await this.breaker.start()
        this.#measureLater()
      },
      stop: async (deadline) => {
        this.breaker.stop()
        this.#cancelMeasuring()
        await backend.stop(deadline)
      },
    })
  }

  get backend(): FarBackend {
    return this.#options.backend
  }

  get isUp(): boolean {
    return this.breaker.isClosed
  }

  /** The store's time, in milliseconds since the Unix epoch. @param elapsed a reading of the clock that is at hand */
  now(elapsed?: number): number {
    return this.#time.now(elapsed) ?? 0
  }

  /** Whether what the store has under a key is to be believed. */
  isTrusted(key: string): boolean {
    return !this.distrust.holdsKey(key) && !this.awaitedKeys.has(key)
  }

  /** Whether the store's number of a tag is to be believed. */
  isTagTrusted(tag: string): boolean {
    return !this.distrust.holdsTag(tag) && !this.awaitedTags.has(tag)
  }

  /** Whether the store's numbers of all tags are to be believed. */
  get areTagsTrusted(): boolean {
    return this.awaitedTags.isEmpty && !this.distrust.hasTags
  }

  /** Asks for a key together with whatever else is asked for in this turn. */
  read(reader: FarReader): void {
    if (this.isUp && this.isTrusted(reader.key)) this.#reads.add(reader)
    else reader.onReading(undefined)
  }

  /** Asks for a key, and for the lease to load it if there is no entry, together with whatever else is so asked for in this turn. */
  claim(claimer: FarClaimer): void {
    if (this.isUp && this.isTrusted(claimer.key)) this.#claims.add(claimer)
    else claimer.onClaim(undefined)
  }

  /** The readings of many keys, in their order, at once and without waiting for others; undefined for those that the far tier cannot tell of. */
  async readMany(keys: readonly string[]): Promise<(FarReading | undefined)[]> {
    if (keys.length > MAX_READS) {
      const pages: Promise<(FarReading | undefined)[]>[] = []
      for (let at = 0; at < keys.length; at += MAX_READS) pages.push(this.readMany(keys.slice(at, at + MAX_READS)))
      return (await Promise.all(pages)).flat()
    }
    const isTrusted = keys.map((key) => this.isTrusted(key))
    this.counts.reads += keys.length
    const readings = await this.ask('read', (store) => store.entries.read(keys))
    return keys.map((_, at) => {
      const reading = isTrusted[at] ? readings?.[at] : undefined
      if (reading?.envelope) this.counts.bytesRead += reading.envelope.length
      return reading
    })
  }

  /** The reading of one key, as a promise. */
  readOne(key: string): Promise<FarReading | undefined> {
    return new Promise((resolve) => this.read({ key, onReading: resolve }))
  }

  /** Whether it was stored; undefined if that is not known. */
  write(write: FarWrite): Promise<boolean | undefined> {
    return new Promise((settle) => this.store(write, settle))
  }

  /** Likewise, without a promise; `settle` is called once. */
  store(write: FarWrite, settle: (isStored: boolean | undefined) => void): void {
    if (this.isUp && this.isTrusted(write.key)) {
      this.#writes.push({ write, settle })
      if (!this.#isWriting) void this.#writeAll()
    } else settle(undefined)
  }

  /** Asks for the lease of a key together with whatever else is asked for in this turn. */
  acquire(asker: LeaseAsker): void {
    if (this.isUp) this.#askers.add(asker)
    else asker.onGranting(undefined)
  }

  /** A token for a lease: no other is like it, of this process or another. */
  newToken(): string {
    return `${this.#tokens}${(this.#tokenCount++).toString(36)}`
  }

  renew(key: string, token: string): Promise<boolean | undefined> {
    return this.ask('renew', (store) => store.leases.renew(key, token, this.leaseTtl))
  }

  release(key: string, token: string): Promise<void | undefined> {
    return this.ask('release', (store) => store.leases.release(key, token))
  }

  /** One call, limited in time; undefined when the store is away, or fails. */
  async ask<T>(operation: string, call: (store: FarBackend) => Promise<T>, limit?: number): Promise<T | undefined> {
    if (!this.isUp) return undefined
    try {
      return await this.breaker.run(() => this.#limited(call, limit))
    } catch (error) {
      this.#failed(error, operation)
      return undefined
    }
  }

  /**
   * Tells the store of all pending invalidations. True when it has heard of all that were pending at the call.
   * @throws never; what fails is pending still
   */
  async flush(): Promise<boolean> {
    // One at a time: each takes all there is, and the next one what came since.
    const mine = this.#flushing.then(
      () => this.distrust.size === 0 || this.ask('invalidate', () => this.#tell(), Number.POSITIVE_INFINITY),
    )
    this.#flushing = mine
    return (await mine) === true
  }

  async #tell(): Promise<true> {
    const { tags, number } = await this.distrust.flush(async ({ keys, tags }) => {
      const list = [...keys]
      for (let at = 0; at < list.length; at += INVALIDATE_BATCH)
        await this.#limited((store) => store.entries.invalidate(list.slice(at, at + INVALIDATE_BATCH)))
      const number = tags.size > 0 ? await this.#limited((store) => store.tags.invalidate([...tags])) : 0
      return { tags, number }
    })
    if (number > 0) this.#options.onReplayed(tags, number)
    return true
  }

  async #recover(): Promise<void> {
    const { timeout } = this.#options
    await this.#limited((store) => store.start(), timeout * 10)
    // Nobody waits for a try, and the first call may have to connect; then the store must be as quick as it has to be for callers.
    await this.#limited((store) => store.ping(), timeout * 10)
    await this.#limited((store) => store.ping())
    await this.#limited(() => this.#time.measure())
    if (this.distrust.size > 0) await this.#tell()
  }

  async #read(readers: FarReader[]): Promise<void> {
    this.counts.reads += readers.length
    const readings = await this.ask('read', (store) => store.entries.read(readers.map(({ key }) => key)))
    for (let at = 0; at < readers.length; at++) {
      const reading = readings?.[at]
      if (reading?.envelope) this.counts.bytesRead += reading.envelope.length
      readers[at]!.onReading(reading)
    }
  }

  async #claim(claimers: FarClaimer[]): Promise<void> {
    this.counts.reads += claimers.length
    const claims = await this.ask('claim', ({ leases }) => leases.claim(claimers, this.leaseTtl))
    for (let at = 0; at < claimers.length; at++) {
      const claim = claims?.[at]
      if (claim?.reading.envelope) this.counts.bytesRead += claim.reading.envelope.length
      claimers[at]!.onClaim(claim)
    }
  }

  async #acquire(askers: LeaseAsker[]): Promise<void> {
    const answers = await this.ask('acquire', ({ leases }) => leases.acquire(askers, this.leaseTtl))
    // While the store was away, leases that it had granted could not be given back, and some were granted to nobody, because the answer came too late.
    const isDoubtful = this.breaker.backFor < this.leaseTtl
    for (let at = 0; at < askers.length; at++) {
      const answer = answers?.[at]
      askers[at]!.onGranting(answer === 'held' && isDoubtful ? undefined : answer)
    }
  }

  /** One call at a time, and what comes meanwhile makes the next: so a limit is that of one call, however much there is to be written. */
  async #writeAll(): Promise<void> {
    this.#isWriting = true
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#writes.length > 0) {
      const some = this.#writes.splice(0, WRITE_BATCH)
      const writes = some.map(({ write }) => write)
      const stored = await this.ask(
        'write',
        (store) => store.entries.write(writes),
        this.#options.timeout * WRITE_PATIENCE,
      )
      this.counts.writes += writes.length
      some.forEach(({ write, settle }, at) => {
        this.counts.bytesWritten += write.envelope.length
        settle(stored?.[at])
      })
    }
    this.#isWriting = false
  }

  #limited<T>(call: (store: FarBackend) => Promise<T>, limit = this.#options.timeout): Promise<T> {
    const { backend, clock } = this.#options
    return limit === Number.POSITIVE_INFINITY ? call(backend) : within(clock, limit, () => call(backend))
  }

  #failed(error: unknown, operation: string): void {
    // Refused by the breaker: what opened it was told.
    if (error instanceof BrokenCircuitError) return
    this.counts[error instanceof FarTimeout ? 'timeouts' : 'errors']++
    this.#options.onError(error instanceof Error ? error : new Error(String(error)), operation)
  }

  #measureLater(): void {
    this.#cancelMeasuring = this.#options.clock.after(MEASURE_EVERY, () => {
      void this.ask('time', () => this.#time.measure())
      this.#measureLater()
    })
  }
}
