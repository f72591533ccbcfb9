import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Cluster, type Node, startCluster } from './cluster.ts'

/**
 * Random schedules of reads, writes, invalidations, slow loads and trouble over four processes, against a model that knows when each version of a row was invalidated.
 *
 * Claim: no read that begins 2 s after an invalidation was made returns a value from before it; 10 s for a process whose bus is, or lately was, cut.
 */

const NODES = 4
const KEYS = ['a', 'b', 'c', 'd', 'e']
const TAGS = ['t', 'u']
const STEPS = 250
const BOUND = 2_000
const BOUND_CUT = 10_000
/** Milliseconds that a load takes at most: it reads its row when it begins, which is the worst. */
const LONGEST_LOAD = 1_500

/** Park and Miller's generator: the same schedule for the same seed. */
function randomOf(seed: number) {
  let state = (seed % 2147483646) + 1
  const next = () => {
    state = (state * 48271) % 2147483647
    return (state - 1) / 2147483646
  }
  return {
    next,
    below: (n: number) => Math.floor(next() * n),
    pick: <T>(list: readonly T[]) => list[Math.floor(next() * list.length)]!,
  }
}

interface Row {
  tag: string
  version: number
  /** By version: when the one before it was invalidated. */
  invalidatedAt: number[]
}

class Model {
  readonly rows = new Map(
    KEYS.map((key, i) => [key, { tag: TAGS[i % TAGS.length]!, version: 0, invalidatedAt: [0] } as Row]),
  )
  readonly faults: string[] = []
  reads = 0
  readonly #random: ReturnType<typeof randomOf>
  readonly #cluster: Cluster
  /** When each process last got its bus back. */
  readonly #cutUntil: number[] = Array(NODES).fill(Number.NEGATIVE_INFINITY)
  readonly #troubleUntil: number[] = Array(NODES).fill(Number.NEGATIVE_INFINITY)

  constructor(cluster: Cluster, random: ReturnType<typeof randomOf>) {
    this.#cluster = cluster
    this.#random = random
  }

  step(): void {
    const at = this.#random.below(NODES)
    const node = this.#cluster.nodes[at]!
    const dice = this.#random.next()
    if (dice < 0.7) void this.#read(at, node)
    else if (dice < 0.9) this.#write(node)
    else if (dice < 0.95) this.#cut(at, node)
    else this.#trouble(at, node)
  }

  async #read(at: number, { cache }: Node): Promise<void> {
    const key = this.#random.pick(KEYS)
    const row = this.rows.get(key)!
    const { clock } = this.#cluster
    const from = clock.elapsed()
    const isCut = from < this.#cutUntil[at]! + BOUND_CUT
    const took = this.#random.next() < 0.5 ? 0 : this.#random.below(LONGEST_LOAD)
    const load = async () => {
      const { version } = row
      if (took > 0) await new Promise<void>((resolve) => void clock.after(took, resolve))
      return { version }
    }
    const { version } = await cache.getOrSet({ key, tags: [row.tag], load })
    this.reads++
    // The version that replaced it, and when that was told.
    const overAt = row.invalidatedAt[version + 1]
    const age = overAt === undefined ? 0 : from - overAt
    if (age >= (isCut ? BOUND_CUT : BOUND))
      this.faults.push(
        `node ${at} read version ${version} of ${key} at ${from}, ${age} ms after it was invalidated${isCut ? ', cut' : ''}`,
      )
  }

  #write({ cache }: Node): void {
    const key = this.#random.pick(KEYS)
    const row = this.rows.get(key)!
    row.version++
    row.invalidatedAt[row.version] = this.#cluster.clock.elapsed()
    const ways = [{ keys: [key] }, { keys: [key] }, { tags: [row.tag] }, { pattern: `${key}*` }, { all: true }]
    void cache.invalidate(this.#random.pick(ways))
  }

  /** Never together with trouble in the far tier: who can neither hear nor be heard is not promised anything. */
  #cut(at: number, { bus }: Node): void {
    const { clock } = this.#cluster
    const now = clock.elapsed()
    if (this.#troubleUntil.some((until) => now < until + BOUND_CUT * 2) || now < this.#cutUntil[at]!) return
    const ms = this.#random.below(20_000)
    this.#cutUntil[at] = now + ms
    bus.cut()
    clock.after(ms, () => bus.heal())
  }

  #trouble(at: number, { far }: Node): void {
    const { clock } = this.#cluster
    const now = clock.elapsed()
    if (this.#cutUntil.some((until) => now < until + BOUND_CUT) || now < this.#troubleUntil[at]!) return
    const ms = this.#random.below(10_000)
    this.#troubleUntil[at] = now + ms
    this.#random.pick([
      () => far.fail(),
      () => far.freeze(),
      () => far.loseAnswers(),
      () => far.delay(80),
      () => far.delay(150),
    ])()
    clock.after(ms, () => far.heal())
  }
}

async function run(seed: number, hasFar: boolean): Promise<Model> {
  const random = randomOf(seed)
  const cluster = await startCluster({
    nodes: NODES,
    hasFar,
    ttl: '5m',
    grace: '1h',
    eagerRefresh: 0.5,
    random: random.next,
  })
  const model = new Model(cluster, random)
  for (let step = 0; step < STEPS; step++) {
    model.step()
    await cluster.clock.advance(random.next() < 0.3 ? 0 : random.below(random.next() < 0.1 ? 5_000 : 400))
  }
  await cluster.clock.advance(60_000)
  await cluster.stop()
  return model
}

describe('random schedules', () => {
  const first = Number(process.env['TAILWATER_TEST_SEED'] ?? process.hrtime()[1] % 1_000_000)
  const seeds = process.env['TAILWATER_TEST_ALL_SEEDS'] ? 500 : 40
  for (const hasFar of [true, false])
    it(`return nothing older than the bound ${hasFar ? 'with' : 'without'} a far tier; seeds from ${first}`, async () => {
      let reads = 0
      for (let seed = first; seed < first + seeds; seed++) {
        const model = await run(seed, hasFar)
        reads += model.reads
        assert.deepEqual(model.faults, [], `seed ${seed}`)
      }
      assert.ok(reads > seeds * STEPS * 0.6, `only ${reads} reads were answered`)
    })
})
