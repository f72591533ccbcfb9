import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { nearestName, TailwaterError, toError } from '@tailwater/core'

/** What the command line asks for. */
export interface Arguments {
  /** A CSV file to load into an empty database in place of generated data. */
  file: string | undefined
  size: 'small' | 'large'
}

/** Shown by `--help`. */
export const USAGE = `npm start -- [--data FILE] [--size small|large]

  --data FILE    loads a file of the UCI Online Retail form (.csv or .csv.gz) into an empty database
  --size SIZE    of the generated data in an empty database: small (5,000 products, 20,000 orders)
                 or large (50,000 products, 300,000 orders). Default: small

Settings are environment variables; .env.example lists them.`

const OPTIONS = { data: { type: 'string' }, size: { type: 'string' } } as const

/** Reads the command line. @throws E_OPTIONS */
export function readArguments(args: readonly string[]): Arguments {
  const { data, size = 'small' } = parse(args)
  if (size !== 'small' && size !== 'large')
    throw new TailwaterError('E_OPTIONS', `--size must be small or large, got '${size}'`, { path: '--size' })
  return { file: data === undefined ? undefined : resolve(data), size }
}

function parse(args: readonly string[]): { data?: string; size?: string } {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values
  } catch (cause) {
    const unknown = args.find((arg) => arg.startsWith('--') && !Object.hasOwn(OPTIONS, arg.slice(2).split('=')[0]!))
    const suggestion = unknown && nearestName(unknown.slice(2), Object.keys(OPTIONS))
    const hint = suggestion ? `did you mean --${suggestion}?` : 'npm start -- --help shows the options'
    const what = unknown ? `unknown option ${unknown}` : toError(cause).message.split('. ')[0]
    throw new TailwaterError('E_OPTIONS', `${what}: ${hint}`, { cause })
  }
}
