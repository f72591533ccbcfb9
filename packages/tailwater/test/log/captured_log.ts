import type { Logger } from '@tailwater/core'

/** One line, before it is written. */
export interface Line {
  level: 'debug' | 'info' | 'warn' | 'error'
  message: string
  fields: Record<string, unknown>
}

/** A log that keeps its lines. */
export function capturedLog(): { logger: Logger; lines: Line[] } {
  const lines: Line[] = []
  const at = (level: Line['level']) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...fields } })
  return { lines, logger: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') } }
}
