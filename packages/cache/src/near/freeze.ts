/*
 * Values in the near tier are shared by all who read them. Who changes one changes it for everybody, and nobody sees where that was; so in development they are frozen, and the
 * line that writes throws. In production nothing is frozen: it would cost more than the look-up.
 */

type Mutators = readonly string[]

const MAP_MUTATORS: Mutators = ['set', 'delete', 'clear']
const SET_MUTATORS: Mutators = ['add', 'delete', 'clear']
const DATE_MUTATORS: Mutators = Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'))

/**
 * Freezes a value with everything in it, in place, and returns it.
 *
 * Plain objects and arrays are frozen, also those in Maps and Sets. Maps, Sets and Dates get methods of their own that throw, as freezing does not reach what they hold. Left alone are
 * Buffers and other views (the language can't freeze their bytes), functions, getters (not called), and instances of other classes with all that they refer to: an ORM's row
 * may lead to its connection.
 */
export function deepFreeze<T>(value: T): T {
  const seen = new Set<unknown>()
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null || seen.has(next)) continue
    seen.add(next)
    freezeOne(next, waiting)
  }
  return value
}

/** Freezes the object itself, and puts what it holds among what waits. */
function freezeOne(object: object, waiting: unknown[]): void {
  if (object instanceof Map) {
    for (const [key, member] of object) waiting.push(key, member)
    freezeMethods(object, MAP_MUTATORS)
  } else if (object instanceof Set) {
    for (const member of object) waiting.push(member)
    freezeMethods(object, SET_MUTATORS)
  } else if (object instanceof Date) freezeMethods(object, DATE_MUTATORS)
  else if (isPlain(object)) {
    for (const name of Reflect.ownKeys(object)) waiting.push(Object.getOwnPropertyDescriptor(object, name)?.value)
    Object.freeze(object)
  }
}

function isPlain(object: object): boolean {
  if (Array.isArray(object)) return true
  const prototype: unknown = Object.getPrototypeOf(object)
  return prototype === Object.prototype || prototype === null
}

function freezeMethods(object: object, names: Mutators): void {
  if (Object.isFrozen(object)) return
  const refuse = () => {
    throw new TypeError('this value is shared by all who read it from the cache: copy it before you change it')
  }
  for (const name of names) Object.defineProperty(object, name, { value: refuse })
  Object.freeze(object)
}
