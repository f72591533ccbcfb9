/**
 * A seeded source of chance: the same seed gives the same numbers on every machine.
 *
 * sfc32 (Chris Doty-Humphrey's Small Fast Counter, from PractRand): 128 bits of state, integer operations only, so that
 * no platform's floating point can change the data. Streams are forked by name, so that a new draw in one table
 * leaves every other table's bytes as they were.
 */
export interface Random {
  /** A number in [0, 1), of 32 random bits. */
  next(): number
  /** A whole number in [0, below). */
  integer(below: number): number
  /** One of `values`, each as likely. */
  pick<T>(values: readonly T[]): T
  /** An independent source, the same for the same name. */
  fork(name: string): Random
}

/** Enough rounds to spread a seed over the whole state, as PractRand does. */
const WARM_UP = 15

/** Makes a source of chance from any text or number. */
export function createRandom(seed: string | number): Random {
  const next = sfc32(hash(`${seed}:a`), hash(`${seed}:b`), hash(`${seed}:c`))
  const integer = (below: number) => Math.floor(next() * below)
  return {
    next,
    integer,
    pick: (values) => values[integer(values.length)]!,
    fork: (name) => createRandom(`${seed}/${name}`),
  }
}

function sfc32(a: number, b: number, c: number): () => number {
  let counter = 1
  const next = () => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 2 ** 32
  }
  for (let round = 0; round < WARM_UP; round++) next()
  return next
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value >>> 0
}
