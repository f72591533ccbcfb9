import type { MissedPolicy } from './definition.ts'
import type { Rule } from './rule.ts'

/** Milliseconds within which a moment has not been missed: a start, or a change of processes, takes so long. */
const ON_TIME = 60_000

/** What is to be done about a schedule that is due. */
export interface Occurrences {
  /** Moments that become jobs, oldest first. */
  fired: number[]
  /** The newest moment that is left out. */
  missed: number | undefined
  next: number | undefined
}

/**
 * Which moments fire now.
 *
 * @param planned the moment at which the schedule stands
 * @param now the store's present moment
 */
export function occurrencesOf(rule: Rule, policy: MissedPolicy, planned: number, now: number): Occurrences {
  const wanted = typeof policy === 'object' ? policy.all + 1 : 2
  const past = rule.upTo(now, wanted).filter((at) => at >= planned)
  // What the store holds counts, even if the rule would not say it today (its time zone may have got other rules).
  if (past.length === 0) past.push(planned)
  const latest = past.at(-1)!
  const onTime = now - latest <= ON_TIME ? [latest] : []
  const missed = onTime.length > 0 ? past.slice(0, -1) : past
  const madeUp = madeUpFor(policy, missed, onTime.length > 0)
  const leftOut = missed.filter((at) => !madeUp.includes(at)).at(-1)
  return { fired: [...madeUp, ...onTime], missed: leftOut, next: rule.after(now) }
}

function madeUpFor(policy: MissedPolicy, missed: readonly number[], isOneOnTime: boolean): number[] {
  if (typeof policy === 'object') return missed.slice(-policy.all)
  return policy === 'once' && !isOneOnTime ? missed.slice(-1) : []
}
