import { setTimeout } from 'node:timers/promises'
import { closedLoop } from './closed_loop.ts'
import type { Engine, EngineKind } from './engine.ts'
import type { EnginePlan, EngineRound, Work } from './engine_plan.ts'
import { type Product, productOf } from './product.ts'

/** Keys of which a second instance, with nothing in its memory, is asked whether Redis has them. */
const SAMPLE = 200
/** Milliseconds between two looks at whether Redis has what was written, and until it should have it at the latest. */
const LOOK_EVERY = 2
const PATIENCE = 10_000

/** A key, and how its product is loaded. */
interface Key {
  id: number
  name: string
  load(): Promise<Product>
}

/** An open cache, and what its rounds have to remember. */
export class EngineStage {
  readonly #engine: Engine
  /** Opened beside it: sees only what Redis has. */
  readonly #witness: Engine | undefined
  readonly #keys: Key[] = []
  #next = 0
  #loads = 0
  #wrong = 0

  private constructor(engine: Engine, witness: Engine | undefined) {
    this.#engine = engine
    this.#witness = witness
  }

  /** Opens the cache, and has it load all keys that are to be hit. */
  static async open(kind: EngineKind, { work, redisUrl, nearEntries }: EnginePlan): Promise<EngineStage> {
    const engine = await kind.open({ redisUrl, nearEntries })
    const witness = redisUrl === undefined ? undefined : await kind.open({ redisUrl, nearEntries: 1 })
    const stage = new EngineStage(engine, witness)
    if (work.kind === 'miss') return stage
    for (let id = 0; id < work.keys; id++) stage.#keys.push(stage.#keyOf(id))
    await stage.#hitting(work.keys, stage.#keys)
    if (stage.#loads !== work.keys) throw new Error(`${stage.#loads} loads for ${work.keys} keys`)
    await stage.#seenByWitness(0, work.keys)
    return stage
  }

  /** @throws when an answer was wrong, a hit was none, or Redis has not what was written */
  async run({ work, callers, duration }: EnginePlan): Promise<EngineRound> {
    const first = this.#next
    const loadsBefore = this.#loads
    const cpuBefore = process.cpuUsage()
    const before = performance.now()
    const calls = await closedLoop(callers, duration, this.#callerOf(work))
    if (work.kind === 'miss') await this.#lastSeenByWitness()
    const seconds = (performance.now() - before) / 1_000
    const { user, system } = process.cpuUsage(cpuBefore)
    const loads = this.#loads - loadsBefore
    if (this.#wrong > 0) throw new Error(`${this.#wrong} of ${calls} answers were wrong`)
    if (loads !== (work.kind === 'miss' ? calls : 0))
      throw new Error(`${loads} loads in ${calls} calls of kind ${work.kind}`)
    if (work.kind === 'miss') await this.#seenByWitness(first, this.#next)
    return { calls, loads, perSecond: calls / seconds, perCpuSecond: calls / ((user + system) / 1_000_000) }
  }

  async close(): Promise<void> {
    await this.#engine.close()
    await this.#witness?.close()
  }

  /** What a caller does again and again. Keys follow each other, so that a small memory never has the next one. */
  #callerOf(work: Work): (calls: number) => Promise<void> {
    if (work.kind === 'miss') return (calls) => this.#missing(calls)
    if (work.kind === 'hit') return (calls) => this.#hitting(calls, this.#keys)
    return (calls) => this.#gathering(calls, work.size)
  }

  /** With nothing between the calls that need not be, or it would be part of what is compared. */
  async #hitting(calls: number, keys: readonly Key[]): Promise<void> {
    const engine = this.#engine
    for (let left = calls; left > 0; left--) {
      const { name, id, load } = keys[this.#next++ % keys.length]!
      const product = await engine.getOrSet(name, load)
      if (product.id !== id) this.#wrong++
    }
  }

  async #missing(calls: number): Promise<void> {
    for (let left = calls; left > 0; left--) {
      const { name, id, load } = this.#keyOf(this.#next++)
      const product = await this.#engine.getOrSet(name, load)
      if (product.id !== id) this.#wrong++
    }
  }

  async #gathering(calls: number, size: number): Promise<void> {
    for (let left = calls; left > 0; left--) {
      const keys = Array.from({ length: size }, () => this.#keys[this.#next++ % this.#keys.length]!)
      const found = await this.#engine.getMany(keys.map(({ name }) => name))
      for (const [at, { id }] of keys.entries()) if (found[at]?.id !== id) this.#wrong++
    }
  }

  #keyOf(id: number): Key {
    const load = async () => {
      this.#loads++
      return productOf(id)
    }
    return { id, name: nameOf(id), load }
  }

  /** Waits until Redis has the key that was asked for last; writes before it may have been in the background. */
  async #lastSeenByWitness(): Promise<void> {
    const patience = performance.now() + PATIENCE
    while ((await this.#witness!.getMany([nameOf(this.#next - 1)]))[0] === undefined) {
      if (performance.now() > patience) throw new Error(`Redis has not got ${nameOf(this.#next - 1)}`)
      await setTimeout(LOOK_EVERY)
    }
  }

  /** @throws when Redis has not got a sample of the keys */
  async #seenByWitness(from: number, to: number): Promise<void> {
    if (this.#witness === undefined) return
    const step = Math.max(1, (to - from) / SAMPLE)
    for (let at = from; at < to; at += step) {
      const id = Math.floor(at)
      const [product] = await this.#witness.getMany([nameOf(id)])
      if (product?.id !== id) throw new Error(`Redis has not got ${nameOf(id)}`)
    }
  }
}

function nameOf(id: number): string {
  return `product:${id}`
}
