import { type Duration, parseDuration, show } from './duration.ts'
import { TailwaterError } from './errors.ts'
import { nearestName } from './nearest_name.ts'
import { parseSize, type Size } from './size.ts'

/**
 * One option: how its value is read and what stands in when it is absent.
 *
 * `In` is what a caller may write (`'5m'`), `Out` what the code receives (300000).
 */
export interface Field<In, Out> {
  parse(value: unknown, path: string): Out
  /** Never set at run time; carries the type of what a caller may write. */
  readonly _in?: In
}

/** The fields of one options object, by name. */
export type Fields = Record<string, Field<unknown, unknown>>

/** What `resolveOptions` gives back for a set of fields. */
export type Resolved<F extends Fields> = { [K in keyof F]: F[K] extends Field<unknown, infer Out> ? Out : never }

/**
 * Reads user options against their fields: defaults filled in, every value checked, unknown names
 * refused with the nearest known one. Pure; cross-field checks belong to the caller's `resolveXOptions`.
 *
 * @param path the name a user knows the object by, for example `createDatabase` or `config.cache`
 * @throws E_OPTIONS with `{ path, expected }`, and `suggestion` for a misspelt name
 *
 * @example
 * const options = resolveOptions('createPool', { max: 20 }, {
 *   max: integer({ min: 1, default: 100 }),
 *   idleTimeout: duration({ default: '30s' }),
 * })
 * // { max: 20, idleTimeout: 30000 }
 */
export function resolveOptions<F extends Fields>(path: string, input: unknown, fields: F): Resolved<F> {
  if (input !== undefined && (input === null || typeof input !== 'object' || Array.isArray(input)))
    throw optionsError(path, 'an object of options', input)
  const given = (input ?? {}) as Record<string, unknown>
  const known = Object.keys(fields)
  for (const name of Object.keys(given)) if (!Object.hasOwn(fields, name)) throw unknownOption(path, name, known)
  const resolved: Record<string, unknown> = {}
  for (const name of known) resolved[name] = fields[name]!.parse(given[name], `${path}.${name}`)
  return resolved as Resolved<F>
}

function unknownOption(path: string, name: string, known: readonly string[]): TailwaterError {
  const suggestion = nearestName(name, known)
  const hint = suggestion ? `did you mean '${suggestion}'?` : `known options: ${known.join(', ')}`
  return new TailwaterError('E_OPTIONS', `unknown option '${name}' of ${path}: ${hint}`, {
    path: `${path}.${name}`,
    suggestion,
  })
}

/** The error of a value that is not what its option expects; for cross-field checks too. */
export function optionsError(path: string, expected: string, value: unknown): TailwaterError {
  return new TailwaterError('E_OPTIONS', `${path} must be ${expected}, got ${show(value)}`, { path, expected })
}

interface WithDefault<T> {
  /** Stands in when the option is absent; without it the option is required. */
  default?: T
}

function field<In, Out>(
  given: WithDefault<In>,
  expected: string,
  read: (value: unknown, path: string) => Out | undefined,
): Field<In, Out> {
  return {
    parse(value, path) {
      const effective = value === undefined ? given.default : value
      const out = effective === undefined ? undefined : read(effective, path)
      if (out === undefined) throw optionsError(path, expected, value)
      return out
    },
  }
}

/** A whole number within bounds, both inclusive. */
export function integer(rule: WithDefault<number> & { min?: number; max?: number } = {}): Field<number, number> {
  const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = rule
  const expected = rule.max === undefined ? `a whole number from ${min} up` : `a whole number from ${min} to ${max}`
  return field(rule, expected, (value) =>
    Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max ? (value as number) : undefined,
  )
}

/** A number within bounds, both inclusive. */
export function number(rule: WithDefault<number> & { min?: number; max?: number } = {}): Field<number, number> {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = rule
  return field(rule, `a number from ${min} to ${max}`, (value) =>
    typeof value === 'number' && value >= min && value <= max ? value : undefined,
  )
}

/** `true` or `false`. */
export function boolean(rule: WithDefault<boolean> = {}): Field<boolean, boolean> {
  return field(rule, 'true or false', (value) => (typeof value === 'boolean' ? value : undefined))
}

/** Text, by default not empty. */
export function text(rule: WithDefault<string> & { pattern?: RegExp; expected?: string } = {}): Field<string, string> {
  const fits = (value: string) => (rule.pattern ? rule.pattern.test(value) : value.length > 0)
  return field(rule, rule.expected ?? 'a non-empty string', (value) =>
    typeof value === 'string' && fits(value) ? value : undefined,
  )
}

/** One of a fixed set of words. */
export function oneOf<const T extends string>(words: readonly T[], rule: WithDefault<NoInfer<T>> = {}): Field<T, T> {
  return field(rule, `one of ${words.map((w) => `'${w}'`).join(', ')}`, (value) => words.find((word) => word === value))
}

/** A duration, given as milliseconds or `'5m'`; read as milliseconds. */
export function duration(rule: WithDefault<Duration> & { min?: number; max?: number } = {}): Field<Duration, number> {
  const { min = 0, max = Number.POSITIVE_INFINITY } = rule
  return field(
    rule,
    `a duration${min > 0 || max < Number.POSITIVE_INFINITY ? ` from ${min} to ${max} ms` : ''}`,
    (value, path) => {
      const ms = parseDuration(value, path)
      return ms >= min && ms <= max ? ms : undefined
    },
  )
}

/** A size, given as bytes or `'64mb'`; read as bytes. */
export function size(rule: WithDefault<Size> = {}): Field<Size, number> {
  return field(rule, 'a size', (value, path) => parseSize(value, path))
}

/** A value that fits a test of its own, such as a port object passed in by the user. */
export function value<T>(expected: string, fits: (value: unknown) => boolean, rule: WithDefault<T> = {}): Field<T, T> {
  return field(rule, expected, (given) => (fits(given) ? (given as T) : undefined))
}

/** Makes a field optional: absent stays `undefined`. */
export function optional<In, Out>(inner: Field<In, Out>): Field<In | undefined, Out | undefined> {
  return { parse: (given, path) => (given === undefined ? undefined : inner.parse(given, path)) }
}

/** A nested options object. */
export function group<F extends Fields>(fields: F): Field<unknown, Resolved<F>> {
  return { parse: (given, path) => resolveOptions(path, given, fields) }
}
