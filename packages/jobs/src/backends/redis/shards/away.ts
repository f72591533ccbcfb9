import type { Turn } from '../../../backend/work_port.ts'
import { type ClaimedJob, finalStates, type Job, type JobEnd, type NewJob } from '../../../job.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** The queue, in each shard, of what stands for children that are elsewhere. No engine can name it so. */
export const AWAY = '~away'
/** Owns all of them, in whichever process it speaks: what it says is the same everywhere. */
const RELAY = '~relay'
/** Milliseconds. Its lease is renewed by each sweep; when no process has been there for so long, the next one claims them anew. */
const LEASE = 30 * 86_400_000
/** Claimed in one turn. */
const LOT = 500

/** Whose a child is that stands in another queue than its parent. */
export interface Family {
  parentId: string
  parentQueue: string
}

/** How an attempt of a child ended, without whose it was. */
type Ending = Extract<JobEnd, { outcome: 'completed' | 'dead' | 'cancelled' }>

/**
 * Flows through several queues, where each has a tag of its own: the relay between queues.
 *
 * A child in another queue has a *stand-in* under its own id in the queue `~away` beside its parent, so that all that families are promised is a matter of one shard. The
 * stand-in carries the child; it runs, owned by the relay, while the child does, and ends as the child has ended.
 *
 * Each step can be done again, by any process: a child is stored under its id, and its shard remembers whose stand-in waits for it (`away`); whoever tells the child's end tells the
 * stand-in's right after it. What a crash has left between two steps the next sweep mends: it looks at each stand-in that runs.
 */
export class Away {
  readonly #shards: Shards
  readonly #store: (jobs: readonly NewJob[]) => Promise<unknown>

  /** @param store stores jobs in the queues that they are for */
  constructor(shards: Shards, store: (jobs: readonly NewJob[]) => Promise<unknown>) {
    this.#shards = shards
    this.#store = store
  }

  /** Stores the children that stand in `queue` for others, as far as they are not there yet. */
  async send(queue: string): Promise<void> {
    let claimed: readonly ClaimedJob[]
    do {
      claimed = await this.#turn(queue, [])
      for (const { payload } of claimed) await this.#deliver(queue, payload)
    } while (claimed.length === LOT)
  }

  /** A child's attempt has ended. If that was the last one its stand-in ends, too. */
  async ended(shard: Shard, { parentQueue }: Family, end: JobEnd): Promise<void> {
    const known = end.outcome === 'completed' || end.outcome === 'dead' || end.outcome === 'cancelled' ? end : undefined
    const ending = known ?? endingOf(end.id, await shard.inspect.get(end.id))
    if (ending) await this.#close(shard, parentQueue, ending)
  }

  /** Looks at each stand-in of a queue, and brings it and its child together again. */
  async mend(queue: string): Promise<void> {
    await this.send(queue)
    const { inspect } = this.#shards.of(queue)
    let cursor: string | undefined
    do {
      const page = await inspect.list(
        { queue: AWAY, states: ['running'] },
        { limit: LOT, ...(cursor !== undefined && { cursor }) },
      )
      for (const { payload } of page.jobs) await this.#mendOne(queue, payload)
      cursor = page.next
    } while (cursor !== undefined)
  }

  async mendAll(): Promise<void> {
    await Promise.all((await this.#shards.queues()).map((queue) => this.mend(queue)))
  }

  async #mendOne(queue: string, payload: string): Promise<void> {
    const child = childOf(payload)
    const shard = this.#shards.of(child.queue)
    const job = await shard.inspect.get(child.id)
    const isKnown = (await familiesOf(shard, [child.id])).size > 0
    if (!job && !isKnown) return this.#deliver(queue, payload)
    // What was deleted before it ended is taken for cancelled, as everywhere.
    const ending = job ? endingOf(child.id, job) : gone(child.id)
    if (ending) await this.#close(shard, queue, ending)
  }

  async #deliver(queue: string, payload: string): Promise<void> {
    const { child, parentId } = JSON.parse(payload) as StandIn
    await this.#store([child])
    const shard = await this.#shards.toWrite(child.queue)
    await shard.connection.redis.command('HSET', awayOf(shard), child.id, `${queue}:${parentId}`)
  }

  async #close(shard: Shard, parentQueue: string, ending: Ending): Promise<void> {
    const { id } = ending
    const standIn = await this.#shards.of(parentQueue).inspect.get(id)
    if (standIn?.state === 'running') await this.#turn(parentQueue, [{ ...ending, attempt: standIn.attempt }])
    await shard.connection.redis.command('HDEL', awayOf(shard), id)
  }

  /** @returns stand-ins whose children are to be stored */
  async #turn(queue: string, ends: readonly JobEnd[]): Promise<readonly ClaimedJob[]> {
    const turn: Turn = { worker: RELAY, lease: LEASE, ends, wants: [{ queue: AWAY, count: LOT }] }
    const { claimed, cancelled } = await (await this.#shards.toWrite(queue)).work.turn(turn)
    for (const id of cancelled) await this.#cancel(queue, id)
    return claimed
  }

  /** Somebody asked to cancel the parent, or the child itself. */
  async #cancel(queue: string, id: string): Promise<void> {
    const standIn = await this.#shards.of(queue).inspect.get(id)
    if (standIn?.state !== 'running') return
    const shard = this.#shards.of(childOf(standIn.payload).queue)
    await shard.maintain.cancel(id)
    const ending = endingOf(id, await shard.inspect.get(id))
    if (ending) await this.#close(shard, queue, ending)
  }
}

const awayOf = ({ connection }: Shard) => `${connection.root}:away`

/** Of jobs of a shard, the families of those whose parent is elsewhere. */
export async function familiesOf(shard: Shard, ids: readonly string[]): Promise<Map<string, Family>> {
  if (ids.length === 0) return new Map()
  const found = await shard.connection.redis.command<(string | null)[]>('HMGET', awayOf(shard), ...ids)
  return new Map(
    found.flatMap((text, at) => {
      if (!text) return []
      const [parentQueue = '', parentId = ''] = text.split(':')
      return [[ids[at]!, { parentQueue, parentId }]]
    }),
  )
}

/** What a stand-in carries. */
interface StandIn {
  child: NewJob
  parentId: string
}

/** The child that a stand-in is for. */
export function childOf(payload: string): NewJob {
  return (JSON.parse(payload) as StandIn).child
}

/** Puts stand-ins in the place of the children that are for other queues. */
export function withStandIns(job: NewJob): NewJob {
  if (!job.children) return job
  const children = job.children.map((child) =>
    child.queue === job.queue ? withStandIns(child) : standInOf(child, job.id),
  )
  return { ...job, children }
}

/** Whether anything of a tree is a stand-in. */
export function hasStandIn(job: NewJob): boolean {
  return job.queue === AWAY || (job.children?.some(hasStandIn) ?? false)
}

/** It carries the key, so that it is erased with the child's data. */
function standInOf(child: NewJob, parentId: string): NewJob {
  const { id, kind, key } = child
  const carried: StandIn = { child, parentId }
  const own = { id, queue: AWAY, kind, payload: JSON.stringify(carried), priority: 128, maxAttempts: 1_000 }
  return key === undefined ? own : { ...own, key }
}

/** Undefined while it may still run. */
function endingOf(id: string, job: Job | undefined): Ending | undefined {
  if (!job || !finalStates.includes(job.state)) return undefined
  const { state, result, error = '', attempt } = job
  if (state === 'completed') return { id, attempt, outcome: 'completed', result }
  return { id, attempt, outcome: state === 'dead' ? 'dead' : 'cancelled', error }
}

const gone = (id: string): Ending => ({ id, attempt: 1, outcome: 'cancelled', error: 'the job was deleted' })
