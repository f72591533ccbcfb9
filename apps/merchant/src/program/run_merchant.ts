import type { Clock } from '@tailwater/core'
import {
  configOfEnvironment,
  createTailwater,
  type Environment,
  loadEnvironment,
  runUntilSignal,
  type TailwaterConfig,
} from 'tailwater'
import { merchantMigrations } from '../database/migrations.ts'
import type { LineOutput } from '../terminal/progress_line.ts'
import { readArguments, USAGE } from './arguments.ts'
import { fillEmptyDatabase } from './fill_empty_database.ts'
import { MERCHANT_SCHEMA } from './merchant_schema.ts'
import { openShop } from './shop.ts'
import { welcome } from './welcome.ts'

/** The process, as the program sees it. */
export interface Surroundings {
  args: readonly string[]
  /** Where `.env` is looked for. */
  folder: string
  output: LineOutput
  clock: Clock
}

/** Brings the merchant up, waits for a signal, and takes it down. Resolves to the exit code. */
export async function runMerchant({ args, folder, output, clock }: Surroundings): Promise<number> {
  const say = (line: string) => void output.write(`  ${line}\n`)
  if (args.includes('--help') || args.includes('-h')) return help(output)
  const startedAt = clock.elapsed()
  const wishes = readArguments(args)
  const settings = loadEnvironment(folder)
  const platform = await createTailwater(configOf(settings, output.isTTY === true), say)
  try {
    const administrator = await platform.start()
    const filled = await fillEmptyDatabase({ platform, wishes, output })
    const shop = await openShop(platform, { host: settings.HOST, port: settings.PORT, apiRate: settings.API_RATE })
    await shop.start()
    welcome({ say, url: shop.url, platform, administrator, filled, ms: clock.elapsed() - startedAt })
    return await runUntilSignal(
      {
        ...shop,
        async stop(deadline) {
          await shop.stop(deadline)
          await platform.stop(deadline)
        },
      },
      { clock, say },
    )
  } catch (error) {
    await platform.stop(clock.elapsed())
    throw error
  }
}

function help(output: LineOutput): number {
  output.write(`${USAGE}\n`)
  return 0
}

function configOf(environment: Environment, isTerminal: boolean): TailwaterConfig {
  return {
    ...configOfEnvironment(environment, isTerminal),
    name: 'merchant',
    application: { schema: MERCHANT_SCHEMA, modules: [merchantMigrations] },
  }
}
