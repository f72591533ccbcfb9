import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** The variable that names the folder of the traces. */
export const TRACES_VARIABLE = 'CACHE_TRACES_DIR'

/** Requests of real users, as cache2k's author published them (headissue GmbH, CC BY 4.0): page ids of a web shop, and objects of a shop's database cache. */
export const TRACES = ['web07', 'web12', 'orm-busy', 'orm-night'] as const

/** What was asked for, one after the other. */
export interface Trace {
  name: string
  /** Keys, numbered in the order in which they first come. */
  keys: Int32Array
  /** How many different ones. */
  unique: number
}

/** Reads the traces from a folder with `web07.trace.xz` and so on: 32-bit numbers, big-endian. @throws when one is not there */
export function readTraces(folder: string): Trace[] {
  return TRACES.map((name) => numbered(name, unpack(join(folder, `${name}.trace.xz`))))
}

function unpack(file: string): Buffer {
  if (!existsSync(file)) throw new Error(`there is no ${file}: ${TRACES_VARIABLE} must name the folder of the traces`)
  const { stdout, error, status } = spawnSync('xz', ['--decompress', '--stdout', file], { maxBuffer: 2 ** 28 })
  if (error || status !== 0)
    throw new Error(`xz could not unpack ${file}: ${error?.message ?? `it ended with ${status}`}`)
  return stdout
}

function numbered(name: string, bytes: Buffer): Trace {
  const numbers = new Map<number, number>()
  const keys = Int32Array.from({ length: bytes.length / 4 }, (_, at) => {
    const id = bytes.readInt32BE(at * 4)
    const known = numbers.get(id)
    if (known === undefined) numbers.set(id, numbers.size)
    return known ?? numbers.size - 1
  })
  return { name, keys, unique: numbers.size }
}
