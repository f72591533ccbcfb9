import {
  type Bus,
  type Clock,
  type Fields,
  type IdSource,
  newId,
  notice,
  optional,
  optionsError,
  resolveOptions,
  type Service,
  type Size,
  size,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import { createOutbox, createPostgresBus, type Database, DEFAULT_SCHEMA, type Outbox } from '@tailwater/postgres'
import type { MessagingBackend } from './backend.ts'
import { createMemoryMessaging } from './backends/jobs/memory_messaging.ts'
import { createPostgresMessaging } from './backends/postgres/postgres_messaging.ts'
import { createMemoryInbox, type Inbox } from './inbox/inbox.ts'
import { createPostgresInbox } from './inbox/postgres_inbox.ts'

/** How messaging is built. */
export interface MessagingOptions {
  /** What carries messages. @default by `database`; within this process without one */
  backend?: MessagingBackend
  /** Gives what needs PostgreSQL: without a `backend` messages wait there; messages in transactions, and an inbox. */
  database?: Database
  /** Schema to which `tailwaterMigrations`, `jobsMigrations` and `messagingMigrations` were applied, with `database`. @default 'tailwater' */
  schema?: string
  /** What brings messages out of transactions; started and stopped by whoever made it. @default one of its own, with `database` */
  outbox?: Outbox
  /** What broadcasts and replies go over, with `database` and without a `backend`; running while messaging is. @default one of its own */
  bus?: Bus
  /** Remembers what was handled, for `message.once`. @default in PostgreSQL with `database`, else within this process */
  inbox?: Inbox
  /** Largest body, as it is sent. @default '256kb' */
  maxBody?: Size
  /** Names (`email`) and paths (`customer.name`) in bodies and headers whose values `deadLetters.show` hides, besides passwords, tokens and the like. */
  redact?: readonly string[]
  /** @default systemClock */
  clock?: Clock
  /** @default newId */
  ids?: IdSource
}

const has = (method: string) => (given: unknown) =>
  typeof (given as Record<string, unknown> | null | undefined)?.[method] === 'function'

const fields = {
  backend: optional(
    value<MessagingBackend>('a MessagingBackend', (given) =>
      has('send')((given as MessagingBackend | undefined)?.publish),
    ),
  ),
  database: optional(value<Database>('a Database', has('transaction'))),
  schema: text({ default: DEFAULT_SCHEMA }),
  outbox: optional(value<Outbox>('an Outbox', has('appendAll'))),
  bus: optional(value<Bus>('a Bus', has('subscribe'))),
  inbox: optional(value<Inbox>('an Inbox', has('once'))),
  maxBody: size({ default: '256kb' }),
  redact: value<readonly string[]>('an array of names', Array.isArray, { default: [] }),
  clock: value<Clock>('a Clock', has('after'), { default: systemClock }),
  ids: value<IdSource>('a function that makes ids', (given) => typeof given === 'function', { default: newId }),
} satisfies Fields

/** Options with every default filled in. */
export interface ResolvedMessaging {
  readonly backend: MessagingBackend
  readonly outbox: Outbox | undefined
  readonly inbox: Inbox
  /** Started before the backend, and stopped after it. */
  readonly services: readonly Service[]
  readonly maxBody: number
  readonly redact: readonly string[]
  readonly clock: Clock
  readonly ids: IdSource
  readonly isLasting: boolean
}

/** @throws E_OPTIONS */
export function resolveMessagingOptions(given: MessagingOptions): ResolvedMessaging {
  const { backend, database, schema, outbox, bus, inbox, ...rest } = resolveOptions('createMessaging', given, fields)
  if (bus && (backend || !database))
    throw optionsError(
      'createMessaging.bus',
      backend ? 'left out, because the backend has its own' : 'given with a database',
      bus,
    )
  const { clock } = rest
  const kept = inbox ?? (database ? createPostgresInbox({ database, schema }) : createMemoryInbox())
  if (!database)
    return {
      ...rest,
      backend: backend ?? createMemoryMessaging({ clock }),
      outbox,
      inbox: kept,
      services: [],
      isLasting: backend !== undefined,
    }
  const ownOutbox = outbox ? undefined : createOutbox({ database, schema, clock })
  const line = outbox ?? ownOutbox!
  const ownBus = backend || bus ? undefined : createPostgresBus({ outbox: line, clock })
  return {
    ...rest,
    backend: backend ?? createPostgresMessaging({ database, schema, clock, bus: bus ?? ownBus! }),
    outbox: line,
    inbox: kept,
    services: [...(ownOutbox ? [ownOutbox] : []), ...(ownBus ? [ownBus] : [])],
    isLasting: true,
  }
}

/** Says that what is published ends with the process. */
export function warnOfMemory({ isLasting }: ResolvedMessaging): void {
  if (isLasting || !notice.hasSubscribers) return
  notice.publish({
    source: 'messaging',
    level: 'warn',
    message: 'messages are kept in memory, and end with this process',
  })
}
