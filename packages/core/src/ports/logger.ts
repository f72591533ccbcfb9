/**
 * Where lines for operators go, of pino's shape: `logger.info({ port }, 'listening')`.
 *
 * Engines do not log; they publish events, and one subscriber turns those into lines.
 */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}
