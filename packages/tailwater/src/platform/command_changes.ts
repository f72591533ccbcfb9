import {
  type AdminChangeEvent,
  adminChange,
  type Bus,
  type BusMessage,
  createService,
  type Service,
} from '@tailwater/core'

/** Where processes hear of what was changed on the command line. */
export const CHANGES = 'command-line-change'

/** What a command has changed, in the words of the admin API. */
export type Change = Pick<AdminChangeEvent, 'action' | 'target' | 'fields'>

/** As it is told, with who did it. */
export type CommandChange = AdminChangeEvent

/**
 * Tells of changes that were made on the command line as of those over the admin API, in every running process.
 * Over the bus, which costs nothing while nobody changes anything; a consumer of the outbox would read along with every message of the others.
 */
export function tellCommandChanges(bus: Bus): Service {
  let end = async () => {}
  return createService('command-changes', {
    async start() {
      end = await bus.subscribe(CHANGES, { onMessage: tell, onGap: () => {} })
    },
    stop: () => end(),
  })
}

function tell({ payload }: BusMessage): void {
  const { requestId, actor, by, action, target, fields } = (payload ?? {}) as Partial<CommandChange>
  const isWhole = [requestId, actor, by, action, target].every((text) => typeof text === 'string')
  if (!isWhole || !adminChange.hasSubscribers) return
  adminChange.publish({ requestId, actor, by, action, target, fields: fields ?? {} } as CommandChange)
}
