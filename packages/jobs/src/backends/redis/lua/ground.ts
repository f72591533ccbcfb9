import { BASE } from './base.ts'
import { RECORDS } from './records.ts'
import { TICKS } from './ticks.ts'

/** What scripts begin with that do not count microseconds. */
export const GROUND = `${BASE}${TICKS}${RECORDS}`
