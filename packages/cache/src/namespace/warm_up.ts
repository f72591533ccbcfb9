import { integer, optional, resolveOptions, toError, value } from '@tailwater/core'

/** How far a warm-up has got. */
export interface WarmProgress {
  /** Values that are in the cache now. */
  loaded: number
  failed: number
}

/** How a namespace is warmed. */
export interface WarmOptions {
  /** Loads that run at once. @default 4 */
  concurrency?: number
  /** Ids of one load, where there is a `loadMany`. @default 100 */
  batch?: number
  onProgress?: (progress: WarmProgress) => void
  /** Ends it; what was loaded stays. */
  signal?: AbortSignal
}

/** What a warm-up came to. */
export interface WarmResult extends WarmProgress {
  /** The last of the failures. */
  error: Error | undefined
}

/**
 * Has every id of a list loaded, some at a time. A failing load is counted, and the others go on.
 *
 * @param load brings some ids into the cache; rejects if one of them failed
 * @throws E_OPTIONS, the signal's reason, and what the list itself throws
 */
export async function warmUp<Id>(
  ids: Iterable<Id> | AsyncIterable<Id>,
  load: (ids: Id[]) => Promise<unknown>,
  options: WarmOptions,
  batch: number,
): Promise<WarmResult> {
  const { concurrency, signal, onProgress } = resolveOptions('warm', { ...options, batch }, warmFields)
  const result: WarmResult = { loaded: 0, failed: 0, error: undefined }
  const source = batchesOf(ids, batch)
  const worker = async () => {
    for (;;) {
      signal?.throwIfAborted()
      const { value: some, done } = await source.next()
      if (done) return
      await load(some).then(
        () => {
          result.loaded += some.length
        },
        (error: unknown) => {
          result.failed += some.length
          result.error = toError(error)
        },
      )
      onProgress?.({ loaded: result.loaded, failed: result.failed })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return result
}

const warmFields = {
  concurrency: integer({ min: 1, max: 1_000, default: 4 }),
  batch: integer({ min: 1, max: 10_000 }),
  onProgress: optional(
    value<NonNullable<WarmOptions['onProgress']>>('a function', (given) => typeof given === 'function'),
  ),
  signal: optional(value<AbortSignal>('an AbortSignal', (given) => given instanceof AbortSignal)),
}

async function* batchesOf<Id>(ids: Iterable<Id> | AsyncIterable<Id>, size: number): AsyncGenerator<Id[], undefined> {
  let batch: Id[] = []
  for await (const id of ids) {
    batch.push(id)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
  return undefined
}
