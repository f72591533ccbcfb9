import { type Clock, integer, optionsError, resolveOptions, systemClock, value } from '@tailwater/core'

/** Options of `createTelemetry`. */
export interface TelemetryOptions {
  /** @default the machine's clock */
  clock?: Clock
  /**
   * Seconds kept in memory, about 200 bytes each.
   * @default 3600
   */
  historySeconds?: number
  /**
   * Requests to these paths and below are not counted: watching must not change what is watched, and a live
   * stream that ends after an hour is no slow request.
   * @default ['/tailwater']
   */
  ignorePaths?: readonly string[]
}

/** Fills in defaults and checks the options. @throws E_OPTIONS */
export function resolveTelemetryOptions(options: TelemetryOptions = {}): Required<TelemetryOptions> {
  const resolved = resolveOptions('createTelemetry', options, {
    clock: value<Clock>('a Clock', (given) => typeof given === 'object' && given !== null && 'elapsed' in given, {
      default: systemClock,
    }),
    historySeconds: integer({ min: 10, max: 86_400, default: 3_600 }),
    ignorePaths: value<readonly string[]>('a list of paths', Array.isArray, { default: ['/tailwater'] }),
  })
  for (const path of resolved.ignorePaths)
    if (typeof path !== 'string' || !/^\/.*[^/]$/.test(path))
      throw optionsError('createTelemetry.ignorePaths', "paths such as '/tailwater', without a slash at the end", path)
  return resolved
}
