import { eventChannel } from '../channel.ts'

/** Something that a person or a program changed over the admin API or on the command line. */
export interface AdminChangeEvent {
  requestId: string
  /** E-mail address of the account, and how it was proved; on the command line `user@host` and `command line`. */
  actor: string
  by: string
  /** Id of the operation: `queuePause`. */
  action: string
  /** What was changed: a queue, a job's id, a key. */
  target: string
  /** Numbers and names that say more; never payloads or values. */
  fields: Readonly<Record<string, unknown>>
}

/** Every change that was made over the admin API, once it is made; those on the command line are told of by every running process. */
export const adminChange = eventChannel<AdminChangeEvent>('tailwater:admin:change')
