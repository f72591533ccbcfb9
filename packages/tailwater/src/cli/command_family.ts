import { type ParseArgsOptionDescriptor, parseArgs } from 'node:util'
import { hasCode, nearestName, type Service, startAll, stopAll, TailwaterError, toError } from '@tailwater/core'
import { hasSqlState } from '@tailwater/postgres'
import type { TailwaterConfig } from '../config.ts'
import type { Change } from '../platform/command_changes.ts'
import { type ChangeLedger, recordChange } from './change_record.ts'
import { saidAgain } from './said_word.ts'
import type { Terminal } from './terminal.ts'

/** What was said on the command line behind the command. */
export interface Call {
  words: readonly string[]
  /** Texts by name; `--tag a --tag b` is a list. */
  options: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>
}

/** Where a command's result goes: as lines for people, or with `--json` as one line of JSON for programs. */
export interface Answer {
  value: unknown
  lines: readonly string[]
  /** @default 0 */
  code?: number
  /** For a command that has changed something: it is recorded. */
  change?: Change
}

/** One command of a family. */
export interface FamilyCommand<Tools> {
  /** What stands behind its name: `<queue> [--state STATE]`. */
  usage: string
  says: string
  /** Words that it needs at least and takes at most. */
  words: readonly [least: number, most: number]
  options?: Readonly<Record<string, ParseArgsOptionDescriptor>>
  run(tools: Tools, call: Call): Promise<Answer>
}

/** What a family has opened. */
export interface Opened<Tools> {
  tools: Tools
  /** Where its changes are recorded; undefined where there is no database. */
  ledger: ChangeLedger | undefined
  close(): Promise<void>
}

/** Commands that need the same things opened. */
export interface CommandFamily<Tools> {
  name: string
  commands: Readonly<Record<string, FamilyCommand<Tools>>>
  /** Opens what the commands need, and says how it is closed. */
  open(config: TailwaterConfig, terminal: Terminal): Promise<Opened<Tools>>
}

/** A command line that is not understood. */
class UsageError extends Error {}

/**
 * Runs a command of a family; `args` begin with its name.
 *
 * @returns exit code: 0 done, 1 failed, 2 not understood
 */
export async function runFamily<Tools>(
  family: CommandFamily<Tools>,
  args: readonly string[],
  { config, terminal }: { config(): Promise<TailwaterConfig>; terminal: Terminal },
): Promise<number> {
  const [name = '', ...rest] = args
  try {
    const command = commandOf(family, name)
    const call = callOf(command, rest)
    if (call.options['help']) {
      terminal.say(usageOf(family.name, name, command))
      return 0
    }
    const { tools, ledger, close } = await family.open(await config(), terminal)
    try {
      const { value, lines, code = 0, change } = await command.run(tools, call)
      if (change) await recordChange(change, ledger, terminal)
      if (call.options['json']) terminal.say(JSON.stringify(value))
      else for (const line of lines) terminal.say(line)
      return code
    } finally {
      await close()
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw unmigrated(error)
    terminal.complain(error.message)
    return 2
  }
}

/** Starts what the commands of a family work with; the result stops it, as does a start that fails. */
export async function started(services: readonly Service[]): Promise<() => Promise<void>> {
  const stop = () => stopAll(services)
  try {
    await startAll(services)
  } catch (error) {
    await stop().catch(() => {})
    throw error
  }
  return stop
}

/** A table, function or schema that is not there (42P01, 42883, 3F000) says nothing to whoever has only forgotten to migrate. */
function unmigrated(error: unknown): unknown {
  if (!hasSqlState(error, '42P01', '42883', '3F000')) return error
  const message = `the database is not migrated (${toError(error).message}): run tailwater migrate`
  return new TailwaterError('E_MIGRATIONS_PENDING', message, { cause: error })
}

/** A line for each command. */
export function familyHelp<Tools>({ name, commands }: CommandFamily<Tools>): string {
  return Object.entries(commands)
    .map(([word, command]) => usageOf(name, word, command))
    .join('\n')
}

function usageOf(family: string, word: string, { usage, says }: FamilyCommand<never>): string {
  return `  tailwater ${family} ${word}${usage && ` ${usage}`}\n      ${says}`
}

function commandOf<Tools>({ name, commands }: CommandFamily<Tools>, given: string): FamilyCommand<Tools> {
  const found = Object.hasOwn(commands, given) ? commands[given] : undefined
  if (found) return found
  const word = saidAgain(given)
  const known = Object.keys(commands)
  const nearest = nearestName(word, known)
  const hint = nearest ? `; did you mean '${name} ${nearest}'?` : `: ${name} ${known.join(`, ${name} `)}`
  throw new UsageError(`unknown: ${`${name} ${word}`.trim()}${hint}`)
}

const COMMON = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const

function callOf(command: FamilyCommand<never>, args: readonly string[]): Call {
  const options = { ...command.options, ...COMMON }
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
    const [least, most] = command.words
    if (!values['help'] && (positionals.length < least || positionals.length > most))
      throw new UsageError(`this command is used so: ${command.usage || 'without anything behind it'}`)
    return { words: positionals, options: values }
  } catch (error) {
    if (error instanceof UsageError || !hasCode(error, 'ERR_PARSE_ARGS_UNKNOWN_OPTION')) throw usageErrorOf(error)
    const given = saidAgain(
      args.find((arg) => arg.startsWith('-') && !Object.hasOwn(options, arg.replace(/^--?|=.*$/g, ''))) ?? '',
    )
    const nearest = nearestName(
      given,
      Object.keys(options).map((name) => `--${name}`),
    )
    throw new UsageError(`unknown: ${given}${nearest ? `; did you mean '${nearest}'?` : ''}`)
  }
}

function usageErrorOf(error: unknown): unknown {
  return hasCode(error, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE')
    ? new UsageError((error as Error).message.replaceAll('\n', ' '))
    : error
}
