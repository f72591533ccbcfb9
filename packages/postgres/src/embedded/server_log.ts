import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import type { DataFolder } from './data_folder.ts'
import { embeddedError } from './errors.ts'

/** Bytes of a log that is written on; a longer one is put aside at a start, and the one before it goes. */
const LOG_MAX = 5 * 1024 * 1024

/** Bytes of the log's end that an error carries. */
const LOG_TAIL = 4_000

/** Puts a long log aside. */
export function turnLog(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_MAX) renameSync(path, `${path}.1`)
}

/** What was written to a log since it was `begin` bytes long, or the last of it. */
export function readLogFrom(path: string, begin: number): string {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    const from = Math.max(begin, size - LOG_TAIL)
    const bytes = Buffer.alloc(Math.max(0, size - from))
    readSync(file, bytes, 0, bytes.length, from)
    return bytes.toString('utf8')
  } finally {
    closeSync(file)
  }
}

/** The error of a server that ended before it was ready: its own reason in one line, the last of its log in the details. */
export function startFailed(folder: DataFolder, log: string): Error {
  if (log.includes('No space left on device'))
    return embeddedError(
      'E_EMBEDDED_DISK_FULL',
      `the disk of ${folder.root} is full: free some space and start again`,
      { log },
    )
  const reason = reasonIn(log) || 'it said nothing'
  return embeddedError(
    'E_EMBEDDED_START_FAILED',
    `PostgreSQL did not start: ${reason} (the whole log: ${folder.logFile})`,
    { log },
  )
}

/** The server's own reason, with the way out that it names on the line after. */
function reasonIn(log: string): string {
  const lines = log.trim().split('\n')
  const at = lines.findIndex((line) => /FATAL|PANIC/.test(line))
  const [fault = '', next = ''] = at < 0 ? lines.slice(-1) : lines.slice(at)
  const advice = /(?:DETAIL|HINT):\s*(.*?)\.?$/.exec(next)?.[1]
  const reason = fault.replace(/^.*?(?:FATAL|PANIC):\s*/, '').trim()
  return advice ? `${reason}; ${advice}` : reason
}
