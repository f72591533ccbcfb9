import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Clock ticks a second in /proc: 100 on every Linux that Node runs on (the kernel's USER_HZ, fixed for programs). */
const TICKS = 100

/** Whether this system tells the CPU time of other processes. */
export const canReadCpuTime = existsSync('/proc/self/stat')

/**
 * Seconds of CPU that processes have used so far, with all below them; what has already ended below them is counted in its parent.
 *
 * @param pids roots of the trees
 */
export function cpuSeconds(pids: readonly number[]): number {
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? [])
  const counted = new Set(pids)
  // Children may stand before their parents; each sweep finds at least one more level.
  for (let before = 0; before !== counted.size; ) {
    before = counted.size
    for (const { pid, parent } of processes) if (counted.has(parent)) counted.add(pid)
  }
  return processes.filter(({ pid }) => counted.has(pid)).reduce((total, { ticks }) => total + ticks, 0) / TICKS
}

interface ProcessTimes {
  pid: number
  parent: number
  /** Its own, and those of its children that have ended. */
  ticks: number
}

function readProcess(pid: number): ProcessTimes | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name stands in brackets and may hold anything, brackets too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // proc(5): ppid is field 4, utime to cstime are 14 to 17; these begin with field 3.
    const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0)
    return { pid, parent: Number(fields[1]), ticks }
  } catch {
    // It ended between the listing and the reading.
    return undefined
  }
}
