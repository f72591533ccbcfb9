import { type AdminChangeEvent, adminChange, createService, type Service } from '@tailwater/core'
import type { Outbox, OutboxMessage } from '@tailwater/postgres'

/** Topic of the outbox for what was changed on the command line. */
export const CHANGES = 'command-line-change'

/** What a command has changed, in the words of the admin API. */
export type Change = Pick<AdminChangeEvent, 'action' | 'target' | 'fields'>

/** As it is recorded, with who did it. */
export type CommandChange = AdminChangeEvent

/**
 * Tells of changes that were made on the command line, as of those over the admin API: one of the running processes does, once, also of what was changed while none ran.
 */
export function tellCommandChanges(outbox: Outbox): Service {
  let isFollowing = false
  return createService('command-changes', {
    async start() {
      // A consumer ends with its outbox.
      if (isFollowing) return
      isFollowing = true
      await outbox.consumer('command-line-changes', (messages) => messages.forEach(tell), { topics: [CHANGES] })
    },
    stop() {},
  })
}

function tell({ payload }: OutboxMessage): void {
  const { requestId, actor, by, action, target, fields } = (payload ?? {}) as Partial<CommandChange>
  const isWhole = [requestId, actor, by, action, target].every((text) => typeof text === 'string')
  if (!isWhole || !adminChange.hasSubscribers) return
  adminChange.publish({ requestId, actor, by, action, target, fields: fields ?? {} } as CommandChange)
}
