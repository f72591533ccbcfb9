import { type Field, nearestName, optionsError, TailwaterError } from '@tailwater/core'
import type { OutboxErrorCode } from '../errors.ts'

/** One setting that can be changed while the processes run. */
export interface SettingDefinition<Value = unknown> {
  readonly field: { parse(value: unknown, path: string): Value }
  /** In force while nobody has set another; as a user would write it. */
  readonly default: unknown
  /** For people: what changes when it changes, with its unit. */
  readonly description: string
}

/** Settings by name; names are `area.what`, public API, and exported by each package as one record. */
export type SettingDefinitions = Record<string, SettingDefinition>

/** What `get` gives for a definition. */
export type SettingValue<D> = D extends SettingDefinition<infer Value> ? Value : unknown

/**
 * Defines a setting, its value's type taken from its field.
 *
 * @example
 * const cacheSettings = {
 *   'cache.ttl': setting({ field: duration({ max: 86_400_000 }), default: '5m', description: 'How long an entry is fresh.' }),
 * }
 */
export function setting<In, Value>(definition: {
  field: Field<In, Value>
  default: NoInfer<In>
  description: string
}): SettingDefinition<Value> {
  return definition
}

/**
 * Checks definitions: each default must fit its field, and each setting be described.
 *
 * @throws E_OPTIONS
 */
export function checkDefinitions(definitions: SettingDefinitions): void {
  for (const [name, { field, default: value, description }] of Object.entries(definitions)) {
    if (!/^[a-z][\w-]*(\.[\w:-]+)+$/i.test(name)) throw optionsError('setting', "a name such as 'cache.ttl'", name)
    if (description.trim() === '') throw optionsError(`settings.${name}.description`, 'a sentence', description)
    field.parse(value, `settings.${name}.default`)
  }
}

/** The error of a name that nobody defined. */
export function unknownSetting(name: string, known: readonly string[]): TailwaterError {
  const suggestion = nearestName(name, known)
  const hint = suggestion ? `did you mean '${suggestion}'?` : `known settings: ${known.join(', ') || 'none'}`
  const code: OutboxErrorCode = 'E_SETTING_UNKNOWN'
  return new TailwaterError(code, `unknown setting '${name}': ${hint}`, { name, suggestion })
}
