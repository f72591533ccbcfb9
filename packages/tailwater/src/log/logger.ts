import type { Logger } from '@tailwater/core'
import { destination, pino } from 'pino'
import pretty from 'pino-pretty'

/** Whatever is called so in a line is not written. */
const SECRET_FIELDS = [
  'password',
  'secret',
  'token',
  'authorization',
  'cookie',
  '*.password',
  '*.secret',
  '*.token',
  '*.authorization',
  '*.cookie',
  // An error of ioredis repeats the command that failed, AUTH and its password included.
  'err.command',
]

/** Milliseconds a line waits for others to be written with it. */
const LONGEST_WAIT = 100

/** How much is logged. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/** What a logger of ours can do beside the port: be emptied before the process ends. */
export interface ProcessLogger extends Logger {
  /** Takes effect with the next line. */
  setLevel(level: LogLevel): void
  flush(): void
}

/** A pino logger on standard output: one JSON object a line, or colours for people. */
export function createLogger({
  level,
  format,
  name,
}: {
  level: string
  format: 'pretty' | 'json'
  name: string
}): ProcessLogger {
  const stream =
    format === 'pretty'
      ? pretty({
          sync: true,
          colorize: process.stdout.isTTY === true,
          ignore: 'pid,hostname,name',
          translateTime: 'SYS:HH:MM:ss.l',
          singleLine: true,
        })
      : destination({ fd: 1, sync: false, minLength: 4_096, periodicFlush: LONGEST_WAIT })
  const logger = pino({ level, name, redact: { paths: SECRET_FIELDS, censor: '[redacted]' } }, stream)
  return {
    setLevel(next) {
      logger.level = next
    },
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    // Lines of a quiet program would wait for 4 kB to come together.
    flush() {
      if ('flushSync' in stream && typeof stream.flushSync === 'function') stream.flushSync()
    },
  }
}
