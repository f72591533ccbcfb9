import { type Clock, type Service, TailwaterError } from '@tailwater/core'
import {
  configOfEnvironment,
  createTailwater,
  type Environment,
  loadEnvironment,
  runUntilSignal,
  type Tailwater,
  type TailwaterConfig,
} from 'tailwater'
import { merchantMigrations } from '../database/migrations.ts'
import { queuePolicies } from '../queues/policies.ts'
import type { LineOutput } from '../terminal/progress_line.ts'
import { readArguments, USAGE } from './arguments.ts'
import { fillEmptyDatabase } from './fill_empty_database.ts'
import { readMarketplaceFile } from './marketplace_file.ts'
import { MERCHANT_SCHEMA } from './merchant_schema.ts'
import { openShop, type Shop, type ShopOptions } from './shop.ts'
import { createSimulatedMarketplaces, SHOWN_LISTINGS, type SimulatedMarketplaces } from './simulated_marketplaces.ts'
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
export async function runMerchant(surroundings: Surroundings): Promise<number> {
  const { args, output, clock } = surroundings
  if (args.includes('--help') || args.includes('-h')) return help(output)
  const say = (line: string) => void output.write(`  ${line}\n`)
  return runUntilSignal(createProgram(surroundings, say), { clock, say })
}

function createProgram({ args, folder, output, clock }: Surroundings, say: (line: string) => void): Service {
  const wishes = readArguments(args)
  const settings = loadEnvironment(folder)
  const simulation = isSimulated(settings) ? createSimulatedMarketplaces() : undefined
  const options = { ...shopOptionsOf(settings), ...(simulation && { marketplaces: simulation.accounts }) }
  let building: Promise<Tailwater | undefined> = Promise.resolve(undefined)
  let shop: Shop | undefined
  let isClosing = false

  async function closeShop(deadline: number | undefined): Promise<void> {
    isClosing = true
    try {
      await shop?.stop(deadline)
    } finally {
      isClosing = false
    }
  }

  return {
    name: 'merchant',
    async start() {
      const startedAt = clock.elapsed()
      const simulating = simulation?.start()
      // Told of below, where it is waited for.
      simulating?.catch(() => {})
      const built = createTailwater(configOf(settings, output.isTTY === true), say)
      // A platform that cannot be built leaves nothing to stop.
      building = built.catch(() => undefined)
      const platform = await built
      // Before the start: workers know every kind of job from their first turn on.
      shop = await openShop(platform, options)
      const administrator = await platform.start()
      const filled = await fillEmptyDatabase({ platform, wishes, output })
      await simulating
      await shop.start()
      if (simulation) await open(shop, simulation)
      const ms = clock.elapsed() - startedAt
      welcome({ say, url: shop.url, platform, administrator, filled, wishes, simulation, ms })
    },
    async stop(deadline) {
      const platform = await building
      try {
        // Whoever asks again is in a hurry, and does not wait for the requests that the first call waits for.
        if (!isClosing) await closeShop(deadline)
      } finally {
        await platform?.stop(deadline)
        await simulation?.stop(deadline)
      }
    },
  }
}

/** In development, unless somebody has said otherwise. */
function isSimulated({ MARKETPLACES, DATABASE_URL, NODE_ENV }: Environment): boolean {
  return MARKETPLACES === undefined ? NODE_ENV === 'development' && !DATABASE_URL : MARKETPLACES === 'simulated'
}

/** A simulation begins with nothing, each time. */
async function open(shop: Shop, simulation: SimulatedMarketplaces): Promise<void> {
  await simulation.tell(shop.url)
  await shop.tellMarketplaces(SHOWN_LISTINGS)
}

function help(output: LineOutput): number {
  output.write(`${USAGE}\n`)
  return 0
}

/** @throws E_OPTIONS when a provider of short messages has no secret to sign by */
function shopOptionsOf({ HOST, PORT, API_RATE, CACHE, ...providers }: Environment): ShopOptions {
  const { SMS_URL, SMS_SECRET, QUALITY_CHECK_URL, QUALITY_CHECK_TOKEN, MARKETPLACES } = providers
  if (SMS_URL && !SMS_SECRET)
    throw new TailwaterError('E_OPTIONS', 'the environment variable SMS_SECRET must be given when SMS_URL is', {
      path: 'SMS_SECRET',
    })
  return {
    host: HOST,
    port: PORT,
    apiRate: API_RATE,
    cache: CACHE,
    ...(SMS_URL && SMS_SECRET && { sms: { url: SMS_URL, secret: SMS_SECRET } }),
    ...(MARKETPLACES?.endsWith('.json') && { marketplaces: readMarketplaceFile(MARKETPLACES) }),
    ...(QUALITY_CHECK_URL && { quality: { url: QUALITY_CHECK_URL, token: QUALITY_CHECK_TOKEN } }),
  }
}

function configOf(environment: Environment, isTerminal: boolean): TailwaterConfig {
  const given = configOfEnvironment(environment, isTerminal)
  return {
    ...given,
    name: 'merchant',
    jobs: { ...given.jobs, queues: queuePolicies },
    application: { schema: MERCHANT_SCHEMA, modules: [merchantMigrations] },
  }
}
