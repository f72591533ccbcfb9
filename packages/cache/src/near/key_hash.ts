/** Code units that are looked at: a longer key is sampled evenly. */
const SAMPLES = 128

/**
 * 32 well-mixed bits of a key, for tables that may be wrong now and then: keys of more than 128 code units that differ only between the samples have the same.
 *
 * FNV-1a over code units in place of octets, from the end, then the finaliser of MurmurHash3: FNV's low bits alone say little of the last units.
 */
export function keyHash(key: string): number {
  let hash = 0x811c9dc5 ^ key.length
  const step = Math.ceil(key.length / SAMPLES)
  for (let at = key.length - 1; at >= 0; at -= step) hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
