import { eventChannel } from '../channel.ts'

/** A fault in work that nobody awaits: a relay's round, a bus's handler, a supervisor's check. */
export interface BackgroundErrorEvent {
  /** Which service or loop. */
  source: string
  error: Error
}

/** Errors with no caller to throw to. */
export const backgroundError = eventChannel<BackgroundErrorEvent>('tailwater:runtime:error')

/** Something an operator should read, from code that has no logger. */
export interface NoticeEvent {
  source: string
  level: 'info' | 'warn'
  message: string
  fields?: Readonly<Record<string, unknown>>
}

/** Notices for the log. */
export const notice = eventChannel<NoticeEvent>('tailwater:runtime:notice')
