import type { CacheEntry } from './entry.ts'
import type { FarReading } from './far/far_backend.ts'
import type { Policy } from './policy.ts'
import type { Space } from './space.ts'

/** Gives what is under a key a new life from now on; false if nothing fresh is there, or it was invalidated meanwhile. */
export async function touch(space: Space, key: string, policy: Policy): Promise<boolean> {
  const { far } = space.core
  const entry = space.find(space.form.near + key)
  const reading = space.format && far?.isUp ? await far.readOne(space.form.whole + key) : undefined
  if (reading && !(await rewrite(space, key, policy, reading))) return false
  if (!entry) return reading !== undefined
  // Still the same: nothing was invalidated or set in between.
  if (space.find(space.form.near + key) === entry) space.keep(relived(entry, space.core.clock.elapsed(), policy))
  return true
}

function relived(entry: CacheEntry, now: number, { ttl, grace }: Policy): CacheEntry {
  const freshUntil = Math.round(now + ttl)
  return { ...entry, freshUntil, usableUntil: Math.round(freshUntil + grace), calmUntil: freshUntil }
}

/** An envelope says itself how long it is fresh, so it is written anew, if nobody else has done so. */
async function rewrite(
  space: Space,
  key: string,
  { ttl, grace }: Policy,
  { version, envelope }: FarReading,
): Promise<boolean> {
  const { far, numbers } = space.core
  const opened = envelope && space.format!.open(space.form.whole + key, envelope)
  if (!opened || opened.rejected) return false
  if (far!.now() >= opened.created + opened.fresh) return false
  if (numbers!.verdictOn(space.form.whole + key, opened.tags) === 'unknown')
    await numbers!.learn(opened.tags.map(({ name }) => name))
  if (numbers!.verdictOn(space.form.whole + key, opened.tags) !== 'valid') return false
  const decoded = await space.format!.decode(opened)
  if (decoded.rejected) return false
  const bytes = await space.envelopeOf(key, decoded.value, { ttl, grace }, opened.tags)
  if (!bytes) return false
  return (
    (await far!.write({
      key: space.form.whole + key,
      envelope: bytes,
      ttl: Math.ceil(ttl + grace),
      expected: version,
    })) === true
  )
}
