import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, it } from 'node:test'
import {
  adminChange,
  backgroundError,
  type Cancel,
  databaseMigration,
  databasePool,
  databaseQuery,
  embeddedServer,
  eventChannel,
  httpError,
  httpRequest,
  jobAttempt,
  jobEnqueued,
  jobSchedule,
  mailSent,
  notice,
  redisConnection,
} from '@tailwater/core'
import { logEvents } from '../../src/log/log_subscriber.ts'
import { capturedLog, type Line } from './captured_log.ts'

let lines: Line[]
let end: Cancel
beforeEach(() => {
  const log = capturedLog()
  lines = log.lines
  end = logEvents(log.logger)
})
afterEach(() => end())

const request = { requestId: 'r1', method: 'GET', path: '/a', route: '/a', ms: 1.26, bytes: 2, aborted: false }
const statement = {
  requestId: 'r1',
  name: 'find',
  fingerprint: 'f',
  text: 'SELECT 1',
  rows: 1,
  target: 'primary',
} as const
const attempt = { requestId: 'r1', kind: 'greet', jobId: 'j', attempt: 1, waitMs: 0, ms: 1 }
const pool = { pool: 'primary', open: 1, idle: 1, waiting: 0 }
const redis = { label: 'commands', target: '127.0.0.1:6379' }
const broken = new Error('broken')

/** What is published, and at which level it must come out. */
const cases: [title: string, publish: () => void, level: Line['level'], message: string][] = [
  ['a request', () => httpRequest.publish({ ...request, status: 200 }), 'info', 'request'],
  ['a request that failed here', () => httpRequest.publish({ ...request, status: 503 }), 'warn', 'request'],
  [
    'what was thrown',
    () =>
      httpError.publish({ requestId: 'r1', method: 'GET', path: '/a', status: 500, code: 'E_INTERNAL', error: broken }),
    'error',
    'request failed',
  ],
  ['a statement', () => databaseQuery.publish({ ...statement, ms: 499, error: undefined }), 'debug', 'statement'],
  ['a slow one', () => databaseQuery.publish({ ...statement, ms: 500, error: undefined }), 'warn', 'slow statement'],
  ['a new connection', () => databasePool.publish({ ...pool, change: 'connected' }), 'debug', 'database connections'],
  ['a lost one', () => databasePool.publish({ ...pool, change: 'lost' }), 'warn', 'database connections'],
  [
    'a pool that has no more',
    () => databasePool.publish({ ...pool, change: 'exhausted' }),
    'warn',
    'database connections',
  ],
  ['Redis reached', () => redisConnection.publish({ ...redis, change: 'connected' }), 'debug', 'Redis connection'],
  [
    'Redis lost',
    () => redisConnection.publish({ ...redis, change: 'lost', error: broken }),
    'warn',
    'Redis connection',
  ],
  ['Redis out of reach', () => redisConnection.publish({ ...redis, change: 'failed' }), 'warn', 'Redis connection'],
  [
    'PostgreSQL started',
    () => embeddedServer.publish({ change: 'started', pid: 1, dataDir: '/d' }),
    'info',
    'embedded PostgreSQL',
  ],
  [
    'PostgreSQL crashed',
    () => embeddedServer.publish({ change: 'crashed', pid: 1, dataDir: '/d' }),
    'error',
    'embedded PostgreSQL',
  ],
  [
    'a migration',
    () => databaseMigration.publish({ module: 'm', version: 1, name: 'n', ms: 1 }),
    'info',
    'migration applied',
  ],
  ['a job stored', () => jobEnqueued.publish({ requestId: 'r1', kind: 'greet', jobId: 'j' }), 'debug', 'job enqueued'],
  ['a job done', () => jobAttempt.publish({ ...attempt, outcome: 'completed', error: undefined }), 'info', 'job'],
  [
    'a job to be tried again',
    () => jobAttempt.publish({ ...attempt, outcome: 'retryable', error: broken }),
    'warn',
    'job',
  ],
  ['a dead job', () => jobAttempt.publish({ ...attempt, outcome: 'dead', error: broken }), 'error', 'job'],
  [
    'a job put off by its handler',
    () => jobAttempt.publish({ ...attempt, outcome: 'snoozed', error: undefined }),
    'info',
    'job',
  ],
  [
    'a moment of a schedule',
    () => jobSchedule.publish({ schedule: 'nightly', at: 0, jobId: 'j' }),
    'info',
    'moment of a schedule',
  ],
  [
    'a moment that was left out',
    () => jobSchedule.publish({ schedule: 'nightly', at: 0, jobId: undefined }),
    'info',
    'moment of a schedule left out',
  ],
  [
    'a mail',
    () => mailSent.publish({ requestId: 'r1', messageId: 'm', transport: 'smtp', ms: 1, error: undefined }),
    'info',
    'mail sent',
  ],
  [
    'a mail refused',
    () => mailSent.publish({ requestId: 'r1', messageId: undefined, transport: 'smtp', ms: 1, error: broken }),
    'warn',
    'mail refused',
  ],
  [
    'a change by an administrator',
    () =>
      adminChange.publish({
        requestId: 'r1',
        actor: 'ada@example.com',
        by: 'session',
        action: 'queuePause',
        target: 'mail',
        fields: { count: 1 },
      }),
    'info',
    'changed over the admin API',
  ],
  [
    'a change on the command line',
    () =>
      adminChange.publish({
        requestId: 'r1',
        actor: 'ada@host',
        by: 'command line',
        action: 'queuePause',
        target: 'mail',
        fields: {},
      }),
    'info',
    'changed on the command line',
  ],
  [
    'work that failed unseen',
    () => backgroundError.publish({ source: 'relay', error: broken }),
    'error',
    'background work failed',
  ],
  ['a notice', () => notice.publish({ source: 'pool', level: 'warn', message: 'nearly full' }), 'warn', 'nearly full'],
]

for (const [title, publish, level, message] of cases)
  it(`${title} is logged at ${level}, with the request's id if it has one`, () => {
    publish()
    assert.deepEqual(
      lines.map((line) => [line.level, line.message]),
      [[level, message]],
    )
    if ('requestId' in lines[0]!.fields) assert.equal(lines[0]!.fields['requestId'], 'r1')
  })

it('every documented channel has a line, but for what caches and workers do all the time, which is counted', () => {
  const page = readFileSync(new URL('../../../../docs/events.md', import.meta.url), 'utf8')
  const names = [...page.matchAll(/^\| `(tailwater:[a-z:-]+)`/gm)].map((match) => match[1]!)
  assert.ok(names.length > 10)
  const silent = names.filter((name) => !eventChannel(name as `tailwater:${string}`).hasSubscribers)
  assert.deepEqual(silent, [
    'tailwater:cache:access',
    'tailwater:cache:load',
    'tailwater:cache:invalidation',
    'tailwater:jobs:turn',
  ])
})

it('nothing is logged after the end', () => {
  end()
  httpRequest.publish({ ...request, status: 200 })
  assert.deepEqual(lines, [])
})
