import { formatDuration } from '@tailwater/core'
import type { Tailwater } from 'tailwater'
import type { Arguments } from './arguments.ts'
import type { Filled } from './fill_empty_database.ts'
import type { SimulatedMarketplaces } from './simulated_marketplaces.ts'

/** What a person sees when everything is up: where to go, and how to get in. */
export function welcome({
  say,
  url,
  platform,
  administrator,
  filled,
  wishes,
  simulation,
  ms,
}: {
  say(line: string): void
  url: string
  platform: Tailwater
  administrator: Awaited<ReturnType<Tailwater['start']>>
  filled: Filled | undefined
  wishes: Arguments
  simulation: SimulatedMarketplaces | undefined
  ms: number
}): void {
  const { config } = platform
  say('')
  say(`The merchant is up (${formatDuration(ms)}).`)
  say('')
  say(`API         ${url}/api/products`)
  say(`Reference   ${url}${config.dashboardPath}/reference`)
  say(`Dashboard   ${url}${config.dashboardPath}`)
  if (administrator?.oneTimePassword) {
    say(`Log in      ${administrator.email}`)
    say(`Password    ${administrator.oneTimePassword}   (shown once; you choose your own at the first log-in)`)
  }
  const [sample] = filled?.merchants ?? []
  if (sample) say(`API key     ${sample.apiKey}   (of ${sample.name})`)
  say(`Database    ${config.isEmbedded ? `embedded, in ${config.dataDir}` : 'yours'}`)
  if (wishes.file && !filled) say(`Data        not loaded from ${wishes.file}: the database has data already`)
  say(`Mail        ${config.mail.smtpUrl ? 'by SMTP' : `files in ${config.dataDir}/outbox`}`)
  if (simulation) say(`Marketplaces simulated, at ${simulation.url}/control/…`)
  say('')
  say('Ctrl-C stops everything.')
  say('')
}
