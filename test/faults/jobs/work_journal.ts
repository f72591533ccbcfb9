import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import type { Witness } from './work.ts'

/** One line: a handler has begun, or ended. */
export interface JournalLine {
  what: 'begin' | 'end'
  n: number
  id: string
  attempt: number
  pid: number
}

/** Writes the journal of handlers. A line is the kernel's before the handler goes on: a kill -9 takes none of them back. */
export function openWitness(path: string): Witness {
  const file = openSync(path, 'a')
  const write = (
    what: string,
    { jobId, attempt, payload }: { jobId: string; attempt: number; payload: { n: number } },
  ) => writeSync(file, `${what} ${payload.n} ${jobId} ${attempt} ${process.pid}\n`)
  return { begin: (job) => void write('begin', job), end: (job) => void write('end', job) }
}

/** Reads the journal while it is written. */
export class WorkJournal {
  readonly lines: JournalLine[] = []
  /** Numbers of jobs that a handler has finished. */
  readonly finished = new Set<number>()
  readonly #file: number
  #read = 0

  constructor(path: string) {
    this.#file = openSync(path, 'a+')
  }

  /** Reads what has come since. */
  refresh(): this {
    const chunk = Buffer.alloc(fstatSync(this.#file).size - this.#read)
    const size = readSync(this.#file, chunk, 0, chunk.length, this.#read)
    const text = chunk.toString('utf8', 0, size)
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    this.#read += Buffer.byteLength(whole)
    for (const line of whole.split('\n')) {
      const [what, n, id, attempt, pid] = line.split(' ')
      if (what !== 'begin' && what !== 'end') continue
      this.lines.push({ what, n: Number(n), id: id!, attempt: Number(attempt), pid: Number(pid) })
      if (what === 'end') this.finished.add(Number(n))
    }
    return this
  }

  close(): void {
    closeSync(this.#file)
  }
}
