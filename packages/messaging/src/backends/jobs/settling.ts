import type { JobEnd } from '@tailwater/jobs'
import type { Settlement } from '../../backend/consume_port.ts'
import type { Held } from './held.ts'
import { encodeHistory } from './history.ts'

/** How a settlement is told to the store. */
export function endOf({ job, notes }: Held, settlement: Settlement): JobEnd {
  const { id, attempt } = job
  switch (settlement.type) {
    case 'done':
      return { id, attempt, outcome: 'completed', result: undefined }
    case 'released':
      return { id, attempt, outcome: 'snoozed', delay: 0 }
    case 'retry': {
      const error = encodeHistory(undefined, [...notes, settlement.note])
      return { id, attempt, outcome: 'failed', error, delay: Math.max(0, settlement.after) }
    }
    case 'dead': {
      const all = settlement.note ? [...notes, settlement.note] : notes
      return { id, attempt, outcome: 'dead', error: encodeHistory(settlement.reason, all) }
    }
  }
}
