import { optionsError } from '@tailwater/core'

/** Makes the keys of one family, which a cluster keeps on one node, so that a script may touch several of them. */
export type Keyspace = (...parts: readonly (string | number)[]) => string

/**
 * Keys of the form `prefix:{tag}:part:part`.
 *
 * The braces are a hash tag (Redis Cluster specification, "hash tags"): the slot is that of the tag alone. Give
 * each thing that must stand alone a tag of its own (`queue:mail`), and not one tag to everything, or one node has all the load.
 *
 * @throws E_OPTIONS on braces in the tag: the first closing one would end it
 */
export function createKeyspace(prefix: string, tag: string): Keyspace {
  if (tag === '' || /[{}]/.test(tag)) throw optionsError('keyspace', 'a tag without braces', tag)
  const stem = `${prefix}:{${tag}}`
  return (...parts) => [stem, ...parts].join(':')
}
