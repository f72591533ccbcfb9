import { hash } from 'node:crypto'
import { optionsError } from '@tailwater/core'

/** A Lua script as its author writes it. */
export interface ScriptDefinition<Keys extends readonly string[] = readonly string[]> {
  /** `bus.publish` */
  name: string
  /**
   * Grows with each change of what the script does with its keys and arguments. Two versions may run side by side during a
   * deployment, so a new one must cope with what the old one left.
   */
  version: number
  /** Names of the keys, in order; inside the script they are KEYS[1], KEYS[2], … */
  keys: Keys
  /** What any number of further keys are; inside the script KEYS[#keys + 1] and so on. */
  rest?: string
  /** `true` gives the script a local `now`: the server's time in milliseconds since the Unix epoch. @default false */
  time?: boolean
  lua: string
}

/** A script ready to run. */
export interface Script<Keys extends readonly string[] = readonly string[]> {
  readonly name: string
  readonly version: number
  readonly keys: Keys
  /** Whether any number of further keys may follow. */
  readonly hasRest: boolean
  readonly time: boolean
  /** The whole text, with its header. */
  readonly source: string
  /** SHA-1 of the text, by which servers know it. */
  readonly sha1: string
}

type Names = readonly string[]
type OpenDefinition<Keys extends Names> = ScriptDefinition<Keys> & { rest: string }
type OpenScript<Keys extends Names> = Script<readonly [...Keys, ...string[]]>

/**
 * The last argument is the time, or empty for the server's own. Only tests pass one. TIME is a random command, allowed since
 * Redis 5 replicates effects and not scripts.
 */
const TIME = `local now = tonumber(ARGV[#ARGV])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
`

/**
 * Prepares a script. Name and version stand in its first line, so that SLOWLOG and MONITOR show which one it is, and so that
 * two versions are two scripts to the server.
 *
 * @throws E_OPTIONS on a name or a version that is none
 * @example
 * const take = defineScript({ name: 'bucket.take', version: 1, keys: ['bucket'], lua: `return redis.call('DECRBY', KEYS[1], ARGV[1])` })
 */
export function defineScript<const Keys extends Names>(definition: OpenDefinition<Keys>): OpenScript<Keys>
export function defineScript<const Keys extends Names>(definition: ScriptDefinition<Keys>): Script<Keys>
export function defineScript(definition: ScriptDefinition): Script {
  const { name, version, keys, rest, time = false, lua } = definition
  if (!/^[a-z][\w.-]*$/i.test(name)) throw optionsError('script.name', 'letters, digits and . _ -', name)
  if (!Number.isInteger(version) || version < 1) throw optionsError('script.version', 'a whole number from 1', version)
  const source = `-- ${name} v${version}\n${time ? TIME : ''}${lua.trim()}\n`
  return { name, version, keys, hasRest: rest !== undefined, time, source, sha1: hash('sha1', source, 'hex') }
}
