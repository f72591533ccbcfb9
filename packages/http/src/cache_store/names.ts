import { hash } from 'node:crypto'
import { isAddressTag } from '../response_cache/invalidation.ts'

/** Characters of a tag that the cache takes. */
const LONGEST_TAG = 200

/** A name, or the hash of one that is too long. */
export function shortened(name: string, longest: number): string {
  return name.length <= longest ? name : hashed(name)
}

/** A surrogate key as a tag of the cache: itself, or its hash where the cache keeps such names for itself or does not take them. */
export function tagName(key: string): string {
  const isTaken = key === '' || key.startsWith('@') || key.includes('\0') || !key.isWellFormed()
  return isTaken ? hashed(key) : shortened(key, LONGEST_TAG)
}

/** A surrogate key or an address as a tag of the cache. An address may name a person, and the cache tells the world which tags it invalidates: of addresses it is given hashes. */
export function tagInCache(tag: string): string {
  return isAddressTag(tag) ? hashed(tag) : tagName(tag)
}

/** The cache's own tags that stand for every response: of everything, of the namespace, and of the patterns of keys that are invalidated in it. */
export function tagsOfAll(namespace: string): readonly [everything: string, namespace: string, patterns: string] {
  return ['@all', `@${namespace}`, `@${namespace}*`]
}

function hashed(name: string): string {
  return `#${hash('sha256', name, 'base64url')}`
}
