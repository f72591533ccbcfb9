import type { Call, Redis } from '@tailwater/redis'
import { type FarEntries, type FarReading, type FarWrite, TOMBSTONE_MS } from '../far_backend.ts'
import { chunksOf } from './chunks.ts'
import type { RedisKeys } from './keys.ts'
import { INVALIDATE, TOUCH, WRITE } from './scripts.ts'
import { comparable, createVersions, isEntry, readStored, VERSION_LENGTH } from './stored.ts'

/** Keys that one MGET asks for: the server answers nobody else meanwhile. */
const MGET_KEYS = 500

/** Entries in Redis: each reading is a GET or a part of an MGET, each change a script. */
export function createRedisEntries(redis: Redis, keys: RedisKeys): FarEntries {
  const nextVersion = createVersions()

  async function readTogether(values: readonly string[]): Promise<(Buffer | null)[]> {
    const pages: Promise<(Buffer | null)[]>[] = []
    for (let from = 0; from < values.length; from += MGET_KEYS) {
      const args = values.slice(from, from + MGET_KEYS)
      pages.push(redis.call({ command: 'MGET', args, bytes: true }))
    }
    return pages.length === 1 ? pages[0]! : (await Promise.all(pages)).flat()
  }

  /** A cluster has no MGET over several slots; pipelines by node do the same. */
  async function readApart(values: readonly string[]): Promise<(Buffer | null)[]> {
    return batch(
      redis,
      values.map((value) => ({ command: 'GET', args: [value], bytes: true })),
    )
  }

  /** The envelopes go as one argument: each argument costs the driver and the server more than its bytes do. */
  function writeCall(writes: readonly FarWrite[]): Call {
    const { generation } = redis
    const stored = Buffer.allocUnsafe(writes.reduce((bytes, { envelope }) => bytes + storedLength(envelope), 0))
    const names: string[] = []
    const args: (Buffer | string | number)[] = [stored]
    let at = 0
    for (const { key, envelope, ttl, expected, lease = '' } of writes) {
      stored.write(nextVersion('entry'), at, 'latin1')
      envelope.copy(stored, at + VERSION_LENGTH)
      at += storedLength(envelope)
      const value = keys.value(key)
      names.push(value, keys.leaseOf(value))
      const held = expected === undefined ? '' : comparable(expected, generation)
      args.push(storedLength(envelope), whole(ttl), held, lease)
    }
    return { script: WRITE, keys: names, args }
  }

  return {
    async read(wanted): Promise<FarReading[]> {
      // As it is before the question: what is found while it changes is already out of date.
      const { generation } = redis
      const values = wanted.map(keys.value)
      const stored = redis.isCluster ? await readApart(values) : await readTogether(values)
      return stored.map((bytes) => readStored(bytes, generation))
    },
    async write(writes) {
      const calls = chunksOf(redis, writes, ({ envelope }) => envelope.length).map(writeCall)
      return (await batch<number[]>(redis, calls)).flat().map((reply) => reply === 1)
    },
    async invalidate(wanted) {
      const tombstone = nextVersion('tombstone')
      await batch(
        redis,
        wanted.map(keys.value).map((value) => ({
          script: INVALIDATE,
          keys: [value, keys.leaseOf(value)],
          args: [tombstone, TOMBSTONE_MS],
        })),
      )
    },
    async touch(key, version, ttl) {
      return isEntry(version) && (await redis.run(TOUCH, [keys.value(key)], [version, whole(ttl)])) === 1
    },
  }
}

const storedLength = (envelope: Buffer) => VERSION_LENGTH + envelope.length

/** Milliseconds as Redis takes them. */
export function whole(ttl: number): number {
  return Math.max(1, Math.ceil(ttl))
}

/** Runs calls together; rejects with the first failure, when all have settled. */
export async function batch<Reply>(redis: Redis, calls: readonly Call[]): Promise<Reply[]> {
  if (calls.length === 1) return [await redis.call<Reply>(calls[0]!)]
  const outcomes = await redis.batch(calls)
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value as Reply
  })
}
