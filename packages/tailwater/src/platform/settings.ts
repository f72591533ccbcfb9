import { type Cancel, oneOf } from '@tailwater/core'
import { createSettings, type Settings, setting } from '@tailwater/postgres'
import type { ResolvedConfig } from '../config.ts'
import type { LogLevel, ProcessLogger } from '../log/logger.ts'
import type { Ground } from './ground.ts'

/** What can be changed while the process runs; every process follows. */
const platformSettings = {
  'log.level': setting({
    field: oneOf(['configured', 'debug', 'info', 'warn', 'error', 'silent']),
    default: 'configured',
    description: 'How much is logged; `configured` is what LOG_LEVEL says.',
  }),
} as const

/** The platform's settings. */
export type PlatformSettings = Settings<typeof platformSettings>

/** Opens the settings table; a change is broadcast on the bus. */
export function openSettings({ schema, clock }: ResolvedConfig, { database, bus }: Ground): PlatformSettings {
  return createSettings({ database, schema, bus, clock, definitions: platformSettings })
}

/** Lets the log follow `log.level`; the result ends it. */
export function followLogLevel(
  settings: PlatformSettings,
  logger: Pick<ProcessLogger, 'setLevel'>,
  configured: LogLevel,
): Cancel {
  const apply = () => {
    const level = settings.get('log.level')
    logger.setLevel(level === 'configured' ? configured : level)
  }
  apply()
  return settings.onChange('log.level', apply)
}
