import type { FarBackend, FarVersion } from '@tailwater/cache'
import {
  type Clock,
  type Duration,
  duration,
  resolveOptions,
  systemClock,
  TailwaterError,
  text,
  value,
} from '@tailwater/core'
import type { HttpErrorCode } from '../errors.ts'
import type { KeptResponses, ResponseStore } from '../response_cache/response_store.ts'
import { shortened, tagName, tagsOfAll } from './names.ts'
import { createOwed } from './owed.ts'
import { decodeRecord, encodeRecord } from './response_record.ts'
import { createTagNames } from './tag_names.ts'

/** How responses are kept where several processes share them. */
export interface FarResponseStoreOptions {
  /** The shared store of `@tailwater/cache`: Redis, PostgreSQL or memory. Whoever made it starts and stops it. */
  backend: FarBackend
  /** Put before every key: the name of the cache's namespace, as its invalidations know it. @default 'http' */
  prefix?: string
  /** How long the store may take; beyond it counts as away. @default '100ms' */
  timeout?: Duration
  /** @default systemClock */
  clock?: Clock
}

/** The store's state when a key was read. */
interface Mark {
  readonly version: FarVersion
  /** The tags' counter: a tag with a greater number was invalidated since. */
  readonly counter: number
}

const LONGEST_KEY = 400

/**
 * Keeps responses in a far tier of `@tailwater/cache`, for all processes that share it.
 *
 * A writing is held against the version that its key had when it was read, and each tag's number against the number that it had then, so that no old response lands after an
 * invalidation, in whichever process that was made. Surrogate keys are the cache's tags: `cache.invalidate({ tags: ['product-42'] })` forgets responses and values alike. A
 * hit asks the store once, or twice where this process does not know the response's tags yet; what must answer in microseconds belongs into the store in memory.
 *
 * @throws E_OPTIONS
 * @example
 * const backend = createRedisBackend({ redis })
 * const cache = responseCache({ store: createFarResponseStore({ backend }) })
 */
export function createFarResponseStore(options: FarResponseStoreOptions): ResponseStore {
  const { backend, prefix, timeout, clock } = resolveOptions('createFarResponseStore', options, {
    backend: value<FarBackend>('a FarBackend', (given) => typeof (given as FarBackend)?.entries === 'object'),
    prefix: text({ default: 'http' }),
    timeout: duration({ default: '100ms', min: 1 }),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock)?.elapsed === 'function', {
      default: systemClock,
    }),
  })
  const { entries, tags: farTags } = backend
  const all = tagsOfAll(prefix)
  const within = <Value>(work: Promise<Value>) => inTime(clock, timeout, work)
  const owed = createOwed({
    keys: (keys) => within(entries.invalidate(keys)),
    tags: (tags) => within(farTags.invalidate(tags)),
    everything: all[1]!,
  })
  const memory = createTagNames()
  const idOf = (key: string) => `${prefix}:${shortened(key, LONGEST_KEY)}`

  async function read(key: string): Promise<KeptResponses> {
    await owed.pay()
    const id = idOf(key)
    const guess = memory.of(id)
    // All in one turn. Numbers that come from before the record are those of an invalidation that had not happened when this was asked.
    const [[reading], counter, guessed] = await within(
      Promise.all([entries.read([id]), farTags.now(), guess && farTags.numbers(guess, 0)]),
    )
    const mark: Mark = { version: reading!.version, counter }
    const record = reading!.envelope && decodeRecord(reading!.envelope, key)
    if (!record) return { variants: [], mark }
    const names = memory.keep(
      id,
      record.tags.map(([name]) => name),
    )
    const numbers = names === guess ? guessed! : await within(farTags.numbers(names, counter))
    const isValid = record.tags.every(([, number], i) => number === numbers[i])
    return { variants: isValid ? record.variants : [], mark }
  }

  return {
    // A store that is away is empty, and takes nothing.
    read: (key) => read(key).catch(() => ({ variants: [], mark: undefined })),
    async set(key, variants, { ttl, since, tags }) {
      const mark = since as Mark | undefined
      if (!mark || ttl < 1) return false
      const names = [...new Set([...all, ...tags.map(tagName)])]
      const write = async () => {
        const numbers = await within(farTags.numbers(names, mark.counter))
        if (numbers.some((number) => number > mark.counter)) return false
        const envelope = encodeRecord({ key, tags: names.map((name, i) => [name, numbers[i]!] as const), variants })
        const writing = { key: idOf(key), envelope, ttl: Math.ceil(ttl), expected: mark.version }
        return (await within(entries.write([writing])))[0] === true
      }
      return write().catch(() => false)
    },
    delete: (key) => owed.add({ keys: [idOf(key)], tags: [] }),
    invalidateTags: (tags) => owed.add({ keys: [], tags: tags.map(tagName) }),
    isShared: true,
  }
}

function inTime<Value>(clock: Clock, ms: number, work: Promise<Value>): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(ms, () =>
      reject(new TailwaterError<HttpErrorCode>('E_RESPONSE_STORE', `The response store took longer than ${ms} ms.`)),
    )
    work.then(resolve, reject).finally(cancel)
  })
}
