/*
 * How much memory a value takes, roughly: what a bound in bytes is kept with.
 *
 * Node does not say, and serialising to find out costs more than many a load. So the value is walked with V8's layout in mind (64 bits, no pointer compression): 8 bytes
 * for each property or element, a head for each object, property names free because objects of one shape share them. The walk is bounded: of an array, Map, Set or
 * large object only some members are looked at and stand for the others, and so do the first objects once many were looked at in all. Text and buffers are measured by their lengths.
 *
 * For rows, lists of rows and what JSON.parse gives it is right within two fifths, which the test measures on the heap. What it cannot see: an object or a text that is
 * referred to twice counts twice; a slice of a long text keeps all of it alive, and counts its own length; private fields and closures count nothing.
 */

/** Members of one array, Map or Set that are looked at. */
const SAMPLES = 16
/** Properties of one object that are looked at. */
const PROPERTY_SAMPLES = 64
/** Objects that are looked at in all, which takes less than 0.1 ms. */
const LOOKS = 200
/** Code units of one text that are looked at for one that needs two bytes. */
const TEXT_SAMPLES = 16
/** From so many properties on V8 keeps them in a table. */
const DICTIONARY = 1_024

const PLACE = 8
const OBJECT = 24
const ARRAY = 48
const DATE = 96
/** Head of a text, or of a number that is not small and whole. */
const HEAD = 16
/** A view and its ArrayBuffer, beside the memory that they are about. */
const VIEW = 200
const MAP = 100
const MAP_PLACE = 32
const SET = 80
const SET_PLACE = 22
/** With the name, which is the object's own. */
const DICTIONARY_PLACE = 72

/**
 * Estimated bytes of a value on the heap.
 *
 * @throws what a getter of the value throws
 */
export function sizeOf(value: unknown): number {
  return Math.round(new SizeWalk().sizeOf(value))
}

class SizeWalk {
  #looks = LOOKS
  /** The objects that the walk is within: one that holds itself is not entered again. */
  readonly #path: object[] = []

  sizeOf(value: unknown): number {
    if (typeof value === 'string') return textBytes(value)
    if (typeof value === 'number') return (value | 0) === value ? 0 : HEAD
    if (typeof value === 'bigint') return HEAD + PLACE
    if (typeof value !== 'object' || value === null || this.#path.includes(value)) return 0
    this.#looks--
    this.#path.push(value)
    const bytes = this.#objectBytes(value)
    this.#path.pop()
    return bytes
  }

  #objectBytes(value: object): number {
    if (Array.isArray(value)) return ARRAY + value.length * (PLACE + this.#elementBytes(value))
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return VIEW + value.byteLength
    if (value instanceof Date) return DATE
    if (value instanceof Map)
      return MAP + value.size * (MAP_PLACE + this.#firstBytes(value.keys()) + this.#firstBytes(value.values()))
    if (value instanceof Set) return SET + value.size * (SET_PLACE + this.#firstBytes(value.keys()))
    return this.#propertyBytes(value as Record<string, unknown>)
  }

  /** Mean of what elements take beside their places. */
  #elementBytes(array: readonly unknown[]): number {
    const step = Math.max(1, array.length / SAMPLES)
    const mean = new Mean()
    // Among themselves, numbers stand in their places whether whole or not.
    let isNumeric = true
    for (let at = 0; at < array.length; at += step) {
      const element = array[Math.floor(at)]
      isNumeric &&= typeof element === 'number'
      this.#look(element, mean)
    }
    return isNumeric ? 0 : mean.value
  }

  /** Mean of the first members: an iterator comes to others only past all those before. */
  #firstBytes(members: Iterable<unknown>): number {
    const mean = new Mean()
    let left = SAMPLES
    for (const member of members) {
      if (left-- === 0) break
      this.#look(member, mean)
    }
    return mean.value
  }

  #propertyBytes(object: Record<string, unknown>): number {
    const values = new Mean()
    let count = 0
    // Object.keys would allocate; what stands on a prototype hardly ever can be enumerated.
    for (const name in object) {
      if (++count <= PROPERTY_SAMPLES) this.#look(object[name], values)
    }
    return OBJECT + count * (values.value + (count < DICTIONARY ? PLACE : DICTIONARY_PLACE))
  }

  /** Adds the size of a value; of an object only while there are looks left. */
  #look(value: unknown, mean: Mean): void {
    if (typeof value !== 'object' || value === null) mean.add(this.sizeOf(value))
    else if (this.#looks > 0) mean.addObject(this.sizeOf(value))
    else mean.addUnseen()
  }
}

/** The mean size of values, among which objects that were seen stand for those that were not. */
class Mean {
  #others = 0
  #otherBytes = 0
  #objects = 0
  #seen = 0
  #seenBytes = 0

  add(bytes: number): void {
    this.#others++
    this.#otherBytes += bytes
  }

  addObject(bytes: number): void {
    this.#objects++
    this.#seen++
    this.#seenBytes += bytes
  }

  addUnseen(): void {
    this.#objects++
  }

  get value(): number {
    const object = this.#seen === 0 ? OBJECT : this.#seenBytes / this.#seen
    const count = this.#others + this.#objects
    return count === 0 ? 0 : (this.#otherBytes + this.#objects * object) / count
  }
}

function textBytes(text: string): number {
  const step = Math.ceil(text.length / TEXT_SAMPLES)
  let unit = 1
  for (let at = 0; at < text.length; at += step) if (text.charCodeAt(at) > 0xff) unit = 2
  return HEAD + Math.ceil((text.length * unit) / PLACE) * PLACE
}
