import { boolean, optional, optionsError, resolveOptions, text, value } from '@tailwater/core'
import { InvalidSet } from './coherence/invalid_set.ts'
import { checkKey, DEFAULT_NAMESPACE, NAMESPACE_WORD } from './key.ts'
import { checkTags, EVERYTHING, namespaceTag } from './tag_name.ts'

/** What to forget. */
export interface Invalidation {
  keys?: readonly string[]
  /** Of all namespaces. */
  tags?: readonly string[]
  /** Keys with a `*` that stands for anything. A tag is cheaper, and exact: a pattern has the far tier searched. */
  pattern?: string
  /** Everything; of one namespace, if one is named. */
  all?: boolean
  /** Whose keys, pattern or all. @default 'default' for keys and pattern */
  namespace?: string
}

/** Where an invalidation belongs. */
export interface InvalidateOptions {
  /** The caller's transaction: it happens if and when that commits, whatever becomes of this process. */
  tx?: object
}

const fields = {
  keys: optional(value<readonly string[]>('an array of keys', Array.isArray)),
  tags: optional(value<readonly string[]>('an array of names', Array.isArray)),
  pattern: optional(text()),
  all: boolean({ default: false }),
  namespace: optional(text({ pattern: NAMESPACE_WORD, expected: 'the name of a namespace' })),
}

const optionFields = {
  tx: optional(value<object>('a transaction', (given) => typeof given === 'object' && given !== null)),
}

/**
 * What an invalidation means. A name that is misspelt must not be passed over: nothing would be forgotten, and nobody would know.
 *
 * @throws E_CACHE_KEY, E_CACHE_TAG, E_OPTIONS for an invalidation of nothing
 */
export function invalidSetOf(given: Invalidation): InvalidSet {
  const { keys, tags, pattern, all, namespace } = resolveOptions('cache.invalidate', given, fields)
  if (!all && (keys ?? tags ?? pattern) === undefined)
    throw optionsError('cache.invalidate', 'given keys, tags, a pattern or all', given)
  const prefix = `${namespace ?? DEFAULT_NAMESPACE}:`
  const everything = namespace === undefined ? EVERYTHING : namespaceTag(namespace)
  return InvalidSet.of(
    (keys ?? []).map((key) => prefix + checkKey(key)),
    [...checkTags(tags ?? []), ...(all ? [everything] : [])],
    pattern === undefined ? [] : [prefix + checkKey(pattern)],
  )
}

/** The transaction that an invalidation belongs to. @throws E_OPTIONS */
export function transactionOf(given: InvalidateOptions | undefined): object | undefined {
  return given === undefined ? undefined : resolveOptions('the options of invalidate', given, optionFields).tx
}
