import { until } from '@tailwater/core/testing'

/** Waits until a condition of a broker holds: one that starts takes its time. @throws Error when that takes too long */
export function untilBroker(
  what: string,
  holds: () => boolean | Promise<boolean>,
  describe: () => string = () => '',
): Promise<void> {
  return until(what, holds, { patience: 120_000, pause: 50, describe })
}
