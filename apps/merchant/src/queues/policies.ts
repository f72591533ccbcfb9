import type { QueueOptions } from '@tailwater/jobs'

const SECONDS_UP = { type: 'exponential', delay: '2s', max: '5m', jitter: 0.25 } as const
const EVERY_HALF_MINUTE = { type: 'fixed', delay: '30s', jitter: 0.1 } as const
/** Half of the wait is left to chance: a marketplace that comes back is not met by everything that it had refused at once. */
const SCATTERED = { type: 'exponential', delay: '2s', max: '10m', jitter: 0.5 } as const

const MESSAGE: QueueOptions = {
  attempts: 3,
  backoff: SECONDS_UP,
  timeout: '30s',
  limits: { rate: { count: 10, per: '1s' } },
  retention: { completed: '7d' },
}
const FILE: QueueOptions = {
  concurrency: 2,
  attempts: 2,
  backoff: SECONDS_UP,
  timeout: '5m',
  retention: { completed: '7d' },
}
const RECKONING: QueueOptions = {
  concurrency: 1,
  attempts: 2,
  backoff: EVERY_HALF_MINUTE,
  timeout: '5m',
  retention: { completed: '1d' },
}

/**
 * The queues of the merchant, and what holds on each: the one place where it is said.
 *
 * A setting changes any of it while the processes run (`jobs.email.rate`, `jobs.sms.attempts`, `jobs.reports.keep` …). Why so: docs/decisions/0020-the-merchants-queues.md.
 */
export const queuePolicies = {
  email: MESSAGE,
  sms: MESSAGE,
  /** In-app inboxes; e-mail and SMS follow on their own queues. */
  notifications: {
    attempts: 3,
    backoff: SECONDS_UP,
    timeout: '30s',
    limits: { rate: { count: 50, per: '1s' } },
    retention: { completed: '7d' },
  },
  documents: FILE,
  reports: FILE,
  analytics: RECKONING,
  search: RECKONING,
  /** Entries that wait together are written by one statement. */
  audit: { concurrency: 100, attempts: 5, backoff: SECONDS_UP, timeout: '30s', retention: { completed: '30d' } },
  'warm-up': { concurrency: 1, attempts: 1, timeout: '1m', retention: { completed: '1h' } },
  /** They wait for somebody else's model: places cost nothing, and 10 a second that take 10 s each need 100 of them. */
  'quality-check': {
    concurrency: 100,
    attempts: 3,
    backoff: SECONDS_UP,
    timeout: '1m',
    limits: { rate: { count: 10, per: '1s' } },
    retention: { completed: '7d' },
  },
  /** Keys are marketplaces (`marketplaceKey`): each has places and a rate of its own, so that a slow one holds up nobody else. */
  marketplace: {
    concurrency: 20,
    attempts: 5,
    backoff: SCATTERED,
    timeout: '30s',
    limits: { perKey: { concurrency: 4, rate: { count: 5, per: '1s' } }, fair: true },
    retention: { completed: '7d' },
  },
} as const satisfies Record<string, QueueOptions>

/** One of the merchant's queues. */
export type QueueName = keyof typeof queuePolicies

/** What jobs of queue `marketplace` have for a key: all that goes to one marketplace shares its limits. */
export function marketplaceKey(marketplaceId: number): string {
  return `marketplace:${marketplaceId}`
}
