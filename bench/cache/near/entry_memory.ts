import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { flatKey } from './near_plan.ts'
import type { CreateSubject } from './subject.ts'

const ENTRIES = 100_000

/** Bytes on the heap and in typed arrays for each entry of a full cache, without its key and value. */
export function bytesPerEntry(create: CreateSubject['create']): number {
  const values = new Map<string, { id: number }>()
  for (let id = 0; id < ENTRIES; id++) values.set(flatKey(id), { id })
  const before = usedBytes()
  const subject = create(ENTRIES)
  for (const [key, value] of values) subject.set(key, value)
  const after = usedBytes()
  if (subject.size !== ENTRIES || values.size !== ENTRIES)
    throw new Error(`${subject.size} of ${ENTRIES} entries are there`)
  return (after - before) / ENTRIES
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
