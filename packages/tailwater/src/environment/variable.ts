import { isIP } from 'node:net'

/** One environment variable that the program reads. */
export interface Variable<T> {
  /** For people, in `.env.example`; one sentence a line. */
  readonly about: string
  /** Shown in `.env.example` as a commented-out value. */
  readonly example: string
  /** Used when the variable is absent or empty; text, as it would be written. */
  readonly fallback?: string
  /** What a value must be, for the error: `a port from 0 to 65535`. */
  readonly expected: string
  /** Values are never shown in errors. */
  readonly isSecret?: boolean
  /** Undefined when the text is not as expected. */
  read(text: string): T | undefined
}

/** Gives a variable its type. */
export function variable<const D extends Variable<unknown>>(definition: D): D {
  return definition
}

/** Reads a URL of one of the given schemes, such as `postgres:`. */
export function urlOf(schemes: readonly string[]): (text: string) => string | undefined {
  return (text) => {
    const url = URL.parse(text)
    return url && schemes.includes(url.protocol) && (url.hostname || url.protocol === 'file:') ? text : undefined
  }
}

/** Reads one of the given words. */
export function wordOf<const T extends string>(words: readonly T[]): (text: string) => T | undefined {
  return (text) => words.find((word) => word === text)
}

/** Reads addresses and CIDR networks, separated by commas. */
export function networksIn(text: string): string[] | undefined {
  const networks = text.split(',').map((network) => network.trim())
  return networks.every(isNetwork) ? networks : undefined
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/')
  const longest = isIP(address) === 6 ? 128 : 32
  return (
    isIP(address) !== 0 &&
    rest.length === 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= longest))
  )
}
