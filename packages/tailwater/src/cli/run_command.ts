import { nearestName } from '@tailwater/core'
import { configCheck } from './config_check.ts'
import { loadConfig } from './load_config.ts'
import { migrate } from './migrate.ts'
import { status } from './status.ts'
import type { Terminal } from './terminal.ts'

const USAGE = `tailwater: steers a Tailwater platform from the command line

  tailwater config check        reads the settings and says what they come to
  tailwater status              whether the database, Redis and RabbitMQ answer, and what is pending
  tailwater migrate             applies pending migrations
  tailwater migrate --print     prints their SQL, to be run by hand
  tailwater migrate --check     says what is pending; exit code 3 when something is

Settings come from the environment, from .env, and from tailwater.config.ts (or .js, .mjs) in this folder.`

const COMMANDS = ['config check', 'status', 'migrate']

/** Runs one command. Resolves to its exit code: 0 done, 1 failed, 2 not understood, 3 something is pending. */
export async function runCommand(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
  terminal: Terminal,
): Promise<number> {
  const words = args.filter((arg) => !arg.startsWith('-'))
  const flags = args.filter((arg) => arg.startsWith('-'))
  if (flags.includes('--help') || flags.includes('-h') || words.length === 0) return help(words, flags, terminal)
  const command = words.join(' ')
  const unknown = flags.find((flag) => command !== 'migrate' || !['--print', '--check'].includes(flag))
  if (!COMMANDS.includes(command) || unknown) return refuse(unknown ?? command, terminal)
  const config = await loadConfig(process.cwd(), environment)
  if (command === 'config check') return configCheck(config, terminal)
  if (command === 'status') return status(config, terminal)
  return migrate(config, flags, terminal)
}

function help(words: readonly string[], flags: readonly string[], { say, complain }: Terminal): number {
  const isAsked = words.length === 0 && flags.length === 0 ? 2 : 0
  if (isAsked === 0) say(USAGE)
  else complain(USAGE)
  return isAsked
}

function refuse(word: string, { complain }: Terminal): number {
  const suggestion = nearestName(word, COMMANDS)
  complain(`unknown: ${word}${suggestion ? `; did you mean '${suggestion}'?` : ''}\n\n${USAGE}`)
  return 2
}
