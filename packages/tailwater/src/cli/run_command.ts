import { nearestName } from '@tailwater/core'
import { cacheFamily } from './cache/cache_family.ts'
import { familyHelp, runFamily } from './command_family.ts'
import { configCheck } from './config_check.ts'
import { jobsFamily } from './jobs/jobs_family.ts'
import { loadConfig } from './load_config.ts'
import { messagesFamily } from './messages/messages_family.ts'
import { migrate } from './migrate.ts'
import { saidAgain } from './said_word.ts'
import { status } from './status.ts'
import type { Terminal } from './terminal.ts'

const USAGE = `tailwater: steers a Tailwater platform from the command line

  tailwater config check        reads the settings and says what they come to
  tailwater status              whether the database, Redis and RabbitMQ answer, and what is pending
  tailwater migrate             applies pending migrations
  tailwater migrate --print     prints their SQL, to be run by hand
  tailwater migrate --check     says what is pending; exit code 3 when something is

${familyHelp(cacheFamily)}

${familyHelp(jobsFamily)}

${familyHelp(messagesFamily)}

The commands of cache, jobs and messages answer with --json for programs, and with --help with what they take.
Settings come from the environment, from .env, and from tailwater.config.ts (or .js, .mjs) in this folder.`

const COMMANDS = ['config check', 'status', 'migrate', 'cache stats', 'jobs stats', 'messages subscriptions']
const FLAGS = ['--print', '--check', '--help']

/** What a command is run with. */
export interface CommandSurroundings {
  /** Where `.env` and the configuration file are looked for. */
  folder: string
  environment: Readonly<Record<string, string | undefined>>
  terminal: Terminal
}

/** Runs one command. Resolves to its exit code: 0 done, 1 failed, 2 not understood, 3 something is pending. */
export async function runCommand(
  args: readonly string[],
  { folder, environment, terminal }: CommandSurroundings,
): Promise<number> {
  const config = () => loadConfig(folder, environment)
  const [family, next] = args
  if (next !== '--help' && next !== '-h') {
    if (family === 'cache') return runFamily(cacheFamily, args.slice(1), { config, terminal })
    if (family === 'jobs') return runFamily(jobsFamily, args.slice(1), { config, terminal })
    if (family === 'messages') return runFamily(messagesFamily, args.slice(1), { config, terminal })
  }
  const words = args.filter((arg) => !arg.startsWith('-'))
  const flags = args.filter((arg) => arg.startsWith('-'))
  if (flags.includes('--help') || flags.includes('-h') || args.length === 0) return help(args, terminal)
  const command = words.join(' ')
  const unknown = flags.find((flag) => command !== 'migrate' || !['--print', '--check'].includes(flag))
  if (command !== '' && !COMMANDS.includes(command)) return refuse(command, terminal)
  if (unknown) return refuse(unknown, terminal)
  const given = await config()
  if (command === 'config check') return configCheck(given, terminal)
  if (command === 'status') return status(given, terminal)
  return migrate(given, flags, terminal)
}

function help(args: readonly string[], { say, complain }: Terminal): number {
  if (args.length > 0) say(USAGE)
  else complain(USAGE)
  return args.length > 0 ? 0 : 2
}

function refuse(word: string, { complain }: Terminal): number {
  const said = saidAgain(word)
  const begun = COMMANDS.find((command) => command.startsWith(`${word} `))
  const suggestion = begun ?? nearestName(said, word.startsWith('-') ? FLAGS : COMMANDS)
  complain(`unknown: ${said}; ${suggestion ? `did you mean '${suggestion}'?` : 'tailwater --help says what there is'}`)
  return 2
}
