import type { FarClaim, FarEntries, FarLeases, LeaseClaim } from './far_backend.ts'

/** `claim` in the two steps that it stands for: for stores in which one would be no faster. */
export function claimInSteps(
  { read }: Pick<FarEntries, 'read'>,
  { acquire }: Pick<FarLeases, 'acquire'>,
): FarLeases['claim'] {
  return async (wishes: readonly LeaseClaim[], ttl: number): Promise<FarClaim[]> => {
    const readings = await read(wishes.map(({ key }) => key))
    const missing = wishes.flatMap(({ key, token }, at) => {
      const { version, envelope } = readings[at]!
      return envelope ? [] : [{ at, key, token, seen: version }]
    })
    const answers = missing.length > 0 ? await acquire(missing, ttl) : []
    const leases = new Map(missing.map(({ at }, index) => [at, answers[index]]))
    return readings.map((reading, at) => {
      const answer = leases.get(at)
      return { reading, lease: answer === 'changed' ? undefined : answer }
    })
  }
}
