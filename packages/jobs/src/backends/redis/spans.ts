import type { RedisArgument } from '@tailwater/redis'
import type { QueueSpans } from '../../backend/work_port.ts'
import { SPAN_SLOT, SPAN_SLOTS } from '../../backend/work_port.ts'
import { type BucketCount, type Percentiles, percentilesOf } from '../../histogram.ts'

/** Arguments of the script that adds to histograms. */
export function spanArguments(spans: readonly QueueSpans[]): RedisArgument[] {
  const args: RedisArgument[] = [SPAN_SLOT, (SPAN_SLOTS + 1) * SPAN_SLOT]
  for (const { queue, waits, runs } of spans) {
    for (const [bucket, count] of waits) args.push(queue, `w${bucket}`, count)
    for (const [bucket, count] of runs) args.push(queue, `r${bucket}`, count)
  }
  return args
}

/** Percentiles of the fields (`w` or `r` and the bucket) and counts of any number of slots. */
export function spansOf(fields: readonly string[]): { wait: Percentiles | undefined; run: Percentiles | undefined } {
  const [waits, runs]: [BucketCount[], BucketCount[]] = [[], []]
  for (let at = 0; at < fields.length; at += 2) {
    const field = fields[at]!
    ;(field.startsWith('w') ? waits : runs).push([Number(field.slice(1)), Number(fields[at + 1])])
  }
  return { wait: percentilesOf(waits), run: percentilesOf(runs) }
}
