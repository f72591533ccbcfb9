import { integer, oneOf, optional, optionsError, resolveOptions, text } from '@tailwater/core'
import type { Spaces } from '../coherence/near_effects.ts'
import type { CacheCore } from '../core.ts'
import type { CacheEntry } from '../entry.ts'
import { checkKey, matcherOf, namespaceOf, wholeKeyOf } from '../key.ts'
import type { Space } from '../space.ts'
import { areTagsValid } from '../tag_table.ts'
import type { Preview } from './redaction.ts'

/** What keys to look at. */
export interface KeyQuery {
  /** With their namespace; a `*` stands for anything. @default '*' */
  pattern?: string
  /** Where the last page ended. */
  cursor?: string
  /** Keys of a page, roughly; at most 10,000. @default 100 */
  limit?: number
  /** @default 'far' if there is one */
  tier?: 'near' | 'far'
}

/** A key as a person sees it. */
export interface KeyLine {
  key: string
  /** In the near tier an estimate. */
  bytes: number
  /** Milliseconds until it is gone for good, grace included. */
  ttl: number
}

/** Keys, some at a time. */
export interface KeyPage {
  keys: KeyLine[]
  /** Undefined after the last page. */
  next: string | undefined
}

/** What one tier has under a key. */
export interface TierDetails {
  bytes: number
  /** Milliseconds until the value is no longer fresh; negative for one that is stale. */
  freshFor: number
  /** Milliseconds until it is gone for good. */
  usableFor: number
  tags: string[]
  /** False for one that was invalidated by a tag: it is there, and will not be served. */
  isValid: boolean
}

/** A key in detail. */
export interface KeyDetails {
  key: string
  near: TierDetails | undefined
  far: TierDetails | undefined
  /** A part of the value, its secret fields hidden. */
  preview: unknown
}

/** What an operator can see of a cache's content. */
export interface KeyBrowser {
  /** @throws E_OPTIONS */
  keys(query?: KeyQuery): Promise<KeyPage>
  /** Undefined for a key that is in neither tier. */
  inspect(key: string): Promise<KeyDetails | undefined>
}

const queryFields = {
  pattern: text({ default: '*' }),
  cursor: optional(text()),
  limit: integer({ min: 1, max: 10_000, default: 100 }),
  tier: optional(oneOf(['near', 'far'])),
}

type ReadQuery = ReturnType<typeof resolveOptions<typeof queryFields>>

/** Makes the browser of a cache. */
export function createKeyBrowser(core: CacheCore, spaces: Spaces, preview: Preview): KeyBrowser {
  const { far, clock } = core

  function nearPage({ pattern, cursor = '0', limit }: ReadQuery): KeyPage {
    if (!/^\d+$/.test(cursor)) throw optionsError('cache.keys.cursor', 'what a page gave as its next', cursor)
    const fits = matcherOf(pattern)
    const now = clock.elapsed()
    const keys: KeyLine[] = []
    let at = Number(cursor)
    const entries = [...nearEntries(core, spaces)].slice(at)
    for (const { key, entry } of entries) {
      if (keys.length >= limit) return { keys, next: String(at) }
      at++
      if (now < entry.usableUntil && fits(key))
        keys.push({ key, bytes: entry.bytes, ttl: Math.round(entry.usableUntil - now) })
    }
    return { keys, next: undefined }
  }

  return {
    async keys(given = {}) {
      const query = resolveOptions('cache.keys', given, queryFields)
      if (query.tier === 'near' || !far) return nearPage(query)
      const page = await far.ask(
        'scan',
        (store) => store.browser.scan(query.pattern, query.cursor, query.limit),
        SCAN_LIMIT,
      )
      return page ?? { keys: [], next: undefined }
    },
    async inspect(key) {
      const space = spaces.get(namespaceOf(typeof key === 'string' ? key : checkKey(key)))
      if (!space) return undefined
      const entry = space.near.peek(space.form.near + key.slice(space.form.whole.length)) as CacheEntry | undefined
      const distant = await farDetails(space, key)
      if (!entry && !distant) return undefined
      const value = entry ? entry.value : distant?.value
      return { key, near: entry && nearDetails(entry, clock.elapsed()), far: distant?.details, preview: preview(value) }
    },
  }
}

/** Milliseconds for a page of a scan, which looks at many keys. */
const SCAN_LIMIT = 2_000

function* nearEntries(core: CacheCore, spaces: Spaces): Generator<{ key: string; entry: CacheEntry }> {
  for (const key of core.near.keys()) {
    const entry = core.near.peek(key) as CacheEntry | undefined
    if (entry) yield { key: wholeKeyOf(key), entry }
  }
  for (const { near, form } of spaces.values()) {
    if (near === core.near) continue
    for (const key of near.keys()) {
      const entry = near.peek(key) as CacheEntry | undefined
      if (entry) yield { key: form.whole + key, entry }
    }
  }
}

function nearDetails(entry: CacheEntry, now: number): TierDetails {
  return {
    bytes: entry.bytes,
    freshFor: Math.round(entry.freshUntil - now),
    usableFor: Math.round(entry.usableUntil - now),
    tags: entry.tags.map(({ name }) => name).filter(isUsers),
    isValid: areTagsValid(entry.tags, entry.sequence),
  }
}

async function farDetails(space: Space, key: string): Promise<{ details: TierDetails; value: unknown } | undefined> {
  const { far, numbers } = space.core
  const reading = far && space.format ? await far.readOne(key) : undefined
  const envelope = reading?.envelope && space.format!.open(key, reading.envelope)
  if (!envelope || envelope.rejected) return undefined
  if (numbers!.verdictOn(key, envelope.tags) === 'unknown') await numbers!.learn(envelope.tags.map(({ name }) => name))
  const decoded = await space.format!.decode(envelope)
  const age = far!.now() - envelope.created
  const details = {
    bytes: envelope.bytes.length,
    freshFor: Math.round(envelope.fresh - age),
    usableFor: Math.round(envelope.usable - age),
    tags: envelope.tags.map(({ name }) => name).filter(isUsers),
    isValid: numbers!.verdictOn(key, envelope.tags) === 'valid',
  }
  return { details, value: decoded.rejected ? undefined : decoded.value }
}

/** The cache's own tags are nobody's business. */
const isUsers = (name: string) => !name.startsWith('@')
