import type { Job } from '../job.ts'
import type { ResolvedKind } from '../kind.ts'
import { isEncrypted } from '../payload/encryption.ts'
import { createRedaction } from '../payload/redaction.ts'

/** A job as it is shown to people: its data read, and what is not to be seen hidden. */
export interface JobView extends Omit<Job, 'payload' | 'result' | 'progress'> {
  payload: unknown
  result: unknown
  progress: unknown
}

/** What stands in for data that only handlers get to see. */
const ENCRYPTED = '[encrypted]'

/**
 * Makes views of jobs. Encrypted data is not shown at all.
 *
 * @param rules of all kinds; those of a job's own kind come on top, if this process knows it
 */
export function createJobViews(
  kinds: ReadonlyMap<string, ResolvedKind>,
  rules: readonly string[],
): (job: Job) => JobView {
  const common = createRedaction(rules)
  const ofKind = new Map<string, (data: unknown) => unknown>()

  function redactionOf(kind: string): (data: unknown) => unknown {
    const own = kinds.get(kind)?.redact ?? []
    if (own.length === 0) return common
    let redaction = ofKind.get(kind)
    if (!redaction) {
      redaction = createRedaction([...rules, ...own])
      ofKind.set(kind, redaction)
    }
    return redaction
  }

  return (job) => {
    const redact = redactionOf(job.kind)
    const show = (text: string | undefined) => {
      if (text === undefined) return undefined
      return isEncrypted(text) ? ENCRYPTED : redact(parse(text))
    }
    return { ...job, payload: show(job.payload), result: show(job.result), progress: show(job.progress) }
  }
}

/** What another program stored may be no JSON: it is shown as it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
