import {
  adminChange,
  backgroundError,
  type Cancel,
  cacheFar,
  databaseMigration,
  databasePool,
  databaseQuery,
  embeddedServer,
  httpError,
  httpRequest,
  jobAttempt,
  jobEnqueued,
  jobSchedule,
  type Logger,
  listen,
  mailSent,
  notice,
  redisConnection,
} from '@tailwater/core'
import { logMessages } from './log_messages.ts'

/** Milliseconds from which a statement of a request or job is worth a line at level warn; a migration or a load may take its time. */
const SLOW_STATEMENT = 500

/**
 * Turns events into log lines: the only place where engines' doings are logged.
 *
 * Every line carries the request's id, so that one search finds a request, its statements, its job and its mail. Look-ups in caches,
 * loads and invalidations have no lines: they are counted, and what a load fails with reaches whoever asked. Nor have turns of workers: what goes wrong in
 * one is background work that failed.
 */
export function logEvents(logger: Logger): Cancel {
  const cancels = [
    ...logRequests(logger),
    ...logStores(logger),
    ...logWork(logger),
    ...logMessages(logger),
    ...logProcess(logger),
  ]
  return () => {
    for (const cancel of cancels) cancel()
  }
}

const rounded = (ms: number) => Math.round(ms * 10) / 10

function logRequests(logger: Logger): Cancel[] {
  return [
    listen(httpRequest, ({ requestId, method, path, route, status, ms, bytes, aborted }) => {
      const fields = { requestId, method, path, route, status, ms: rounded(ms), bytes, ...(aborted ? { aborted } : {}) }
      if (status >= 500) logger.warn(fields, 'request')
      else logger.info(fields, 'request')
    }),
    listen(httpError, ({ requestId, method, path, status, code, error }) =>
      logger.error({ requestId, method, path, status, code, err: error }, 'request failed'),
    ),
  ]
}

function logStores(logger: Logger): Cancel[] {
  return [
    listen(databaseQuery, ({ requestId, name, fingerprint, text, ms, rows, target, error }) => {
      const fields = {
        requestId,
        statement: name ?? text.slice(0, 200),
        fingerprint,
        ms: rounded(ms),
        rows,
        target,
        ...(error ? { error } : {}),
      }
      if (ms >= SLOW_STATEMENT && requestId !== undefined) logger.warn(fields, 'slow statement')
      else logger.debug(fields, 'statement')
    }),
    listen(databasePool, ({ pool, change, open, idle, waiting, error }) => {
      const fields = { pool, change, open, idle, waiting, ...(error ? { error: error.message } : {}) }
      if (change === 'lost' || change === 'exhausted') logger.warn(fields, 'database connections')
      else logger.debug(fields, 'database connections')
    }),
    listen(embeddedServer, (event) =>
      logger[event.change === 'crashed' ? 'error' : 'info']({ ...event }, 'embedded PostgreSQL'),
    ),
    listen(redisConnection, ({ label, change, target, error }) => {
      const fields = { connection: label, change, target, ...(error ? { error: error.message } : {}) }
      if (change === 'lost' || change === 'failed') logger.warn(fields, 'Redis connection')
      else logger.debug(fields, 'Redis connection')
    }),
    listen(cacheFar, ({ backend, change, operation, error }) => {
      const fields = {
        backend,
        change,
        ...(operation ? { operation } : {}),
        ...(error ? { error: error.message } : {}),
      }
      if (change === 'open') logger.warn(fields, "the cache's far tier is left alone")
      else logger[change === 'closed' ? 'info' : 'debug'](fields, "the cache's far tier")
    }),
    listen(databaseMigration, ({ module, version, name, ms }) =>
      logger.info({ module, version, migration: name, ms: rounded(ms) }, 'migration applied'),
    ),
  ]
}

function logWork(logger: Logger): Cancel[] {
  return [
    listen(jobEnqueued, ({ requestId, kind, jobId }) => logger.debug({ requestId, kind, jobId }, 'job enqueued')),
    listen(jobAttempt, ({ requestId, kind, jobId, attempt, outcome, waitMs, ms, error }) => {
      const fields = {
        requestId,
        kind,
        jobId,
        attempt,
        outcome,
        waitMs: rounded(waitMs),
        ms: rounded(ms),
        ...(error ? { error: error.message } : {}),
      }
      logger[outcome === 'dead' ? 'error' : outcome === 'retryable' ? 'warn' : 'info'](fields, 'job')
    }),
    listen(jobSchedule, ({ schedule, at, jobId }) => {
      const fields = { schedule, at: new Date(at).toISOString(), jobId }
      logger.info(fields, jobId === undefined ? 'moment of a schedule left out' : 'moment of a schedule')
    }),
    listen(mailSent, ({ requestId, messageId, transport, ms, error }) => {
      if (error) logger.warn({ requestId, transport, ms: rounded(ms), error: error.message }, 'mail refused')
      else logger.info({ requestId, messageId, transport, ms: rounded(ms) }, 'mail sent')
    }),
  ]
}

function logProcess(logger: Logger): Cancel[] {
  return [
    listen(adminChange, ({ requestId, actor, by, action, target, fields }) =>
      logger.info(
        { requestId, actor, by, action, target, ...fields },
        by === 'command line' ? 'changed on the command line' : 'changed over the admin API',
      ),
    ),
    listen(backgroundError, ({ source, error }) => logger.error({ source, err: error }, 'background work failed')),
    listen(notice, ({ source, level, message, fields }) => logger[level]({ source, ...fields }, message)),
  ]
}
