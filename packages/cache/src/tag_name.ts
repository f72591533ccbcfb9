import { show } from '@tailwater/core'
import { cacheError } from './errors.ts'

/** The tag that every entry of the cache has. */
export const EVERYTHING = '@all'

/** The tag that every entry of a namespace has. */
export const namespaceTag = (namespace: string): string => `@${namespace}`

/** The tag whose number grows with each pattern that is invalidated in a namespace. */
export const fenceTag = (namespace: string): string => `@${namespace}*`

/** Whether a tag is a fence. */
export const isFence = (tag: string): boolean => tag.startsWith('@') && tag.endsWith('*')

/** Longest name of a tag, in characters. */
const MAX_TAG = 200
/** Most tags that an entry can have: each is compared at a far hit. */
const MAX_TAGS = 32

function isTag(tag: unknown): boolean {
  if (typeof tag !== 'string' || tag === '' || tag.length > MAX_TAG || tag.startsWith('@')) return false
  return !tag.includes('\0') && tag.isWellFormed()
}

/** @throws E_CACHE_TAG for what is no name of a tag; those that begin with `@` are the cache's own */
export function checkTags(tags: unknown): readonly string[] {
  if (!Array.isArray(tags) || tags.length > MAX_TAGS)
    throw cacheError('E_CACHE_TAG', `tags must be a list of at most ${MAX_TAGS} names, got ${show(tags)}`)
  for (const tag of tags)
    if (!isTag(tag))
      throw cacheError(
        'E_CACHE_TAG',
        `a tag must be well-formed text of 1 to ${MAX_TAG} characters without NUL that does not begin with '@', got ${show(tag)}`,
      )
  return tags as string[]
}
