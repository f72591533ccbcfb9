import { isDeepStrictEqual } from 'node:util'
import {
  type Bus,
  type Cancel,
  type Clock,
  createService,
  type Duration,
  duration,
  notice,
  optional,
  optionsError,
  resolveOptions,
  type Service,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import type { PostgresBus } from '../bus/bus.ts'
import type { Database } from '../database.ts'
import { createLoop, pause, report } from '../loop.ts'
import { DEFAULT_SCHEMA, quoteSchema } from '../schema_name.ts'
import { sharedRun } from '../shared_run.ts'
import {
  checkDefinitions,
  type SettingDefinition,
  type SettingDefinitions,
  type SettingValue,
  unknownSetting,
} from './definition.ts'
import {
  createSettingStore,
  type HistoryQuery,
  type SettingAuthor,
  type SettingChange,
  type StoredSetting,
} from './store.ts'

/** How settings are made. */
export interface SettingsOptions<D extends SettingDefinitions> {
  database: Database
  /** @default 'tailwater' */
  schema?: string
  /** Tells the other processes; without it they see a change at their next refresh. One over PostgreSQL tells them in the change's own transaction. */
  bus?: Bus
  definitions: D
  /** How often the table is read in case a message got lost. @default '30s' */
  refresh?: Duration
  /** @default systemClock */
  clock?: Clock
}

/** A setting as people see it. */
export interface SettingState {
  name: string
  /** As it was written: `'5m'`, not 300000. */
  value: unknown
  default: unknown
  isDefault: boolean
  description: string
  /** Milliseconds since the Unix epoch; undefined while the default is in force. */
  updatedAt: number | undefined
}

/** A change of the value in force, in this process. */
export interface SettingUpdate {
  name: string
  value: unknown
  old: unknown
}

/** Settings that are changed while the processes run: kept in a table, audited, known to every process. */
export interface Settings<D extends SettingDefinitions = SettingDefinitions> extends Service {
  /** The value in force, from memory; the default before `start`. @throws E_SETTING_UNKNOWN */
  get<Name extends keyof D & string>(name: Name): SettingValue<D[Name]>
  get(name: string): unknown
  /** Resolves when the value is stored and in force here; elsewhere within a moment. @throws E_SETTING_UNKNOWN, E_OPTIONS */
  set(name: (keyof D & string) | (string & {}), value: unknown, author: SettingAuthor): Promise<void>
  /** Lets the default be in force again. @throws E_SETTING_UNKNOWN */
  reset(name: (keyof D & string) | (string & {}), author: SettingAuthor): Promise<void>
  list(): SettingState[]
  /** Changes, the latest first. */
  history(query?: HistoryQuery): Promise<SettingChange[]>
  /** Calls `listener` whenever the value in force of a setting, or of any (`'*'`), becomes another. */
  onChange(name: (keyof D & string) | (string & {}), listener: (update: SettingUpdate) => void): Cancel
  /** Adds settings that are known only now, such as those of one queue. */
  define(definitions: SettingDefinitions): void
}

/** Options with defaults filled in and values checked. */
export function resolveSettingsOptions<D extends SettingDefinitions>(options: SettingsOptions<D>) {
  const has = (method: string) => (given: unknown) =>
    typeof (given as Record<string, unknown> | undefined)?.[method] === 'function'
  const resolved = resolveOptions('createSettings', options, {
    database: value<Database>('a Database', has('transaction')),
    schema: text({ default: DEFAULT_SCHEMA }),
    bus: optional(value<Bus>('a Bus', has('subscribe'))),
    definitions: value<D>('a record of definitions', (given) => typeof given === 'object' && given !== null),
    refresh: duration({ default: '30s', min: 1 }),
    clock: value<Clock>('a Clock', has('after'), { default: systemClock }),
  })
  quoteSchema(resolved.schema, 'createSettings.schema')
  checkDefinitions(resolved.definitions)
  return resolved
}

/** On the bus; the payload names the setting, for whoever looks: receivers read the table. */
const TOPIC = 'tailwater.settings'
/** Milliseconds until the table is read again when it could not be. */
const RETRY_MS = 1_000

interface Held {
  definition: SettingDefinition
  value: unknown
  /** What is stored, or undefined while the default is in force. */
  json: string | undefined
  updatedAt: number | undefined
}

/**
 * Makes the settings of a schema.
 *
 * Memory is never trusted over the table: whoever hears of a change, or of a gap on the bus, reads the whole table, which is small; so does
 * everyone from time to time. A stored value that this release's field refuses is passed over with a notice, and the default holds.
 *
 * @example
 * const settings = createSettings({ database, bus, definitions: { ...cacheSettings, ...jobsSettings } })
 * await settings.start()
 * settings.get('cache.ttl') // 300000
 * await settings.set('cache.ttl', '10m', { who: 'admin@example.com', reason: 'sale starts at noon' })
 */
export function createSettings<const D extends SettingDefinitions>(options: SettingsOptions<D>): Settings<D> {
  const { database, schema, bus, definitions, refresh, clock } = resolveSettingsOptions(options)
  const store = createSettingStore(database, schema)
  const held = new Map<string, Held>()
  const listeners = new Map<string, Set<(update: SettingUpdate) => void>>()
  let stored = new Map<string, StoredSetting>()
  let news = new AbortController()
  let unsubscribe = async () => {}

  const reload = sharedRun(async () => {
    stored = new Map((await store.load()).map((row) => [row.name, row]))
    for (const [name, entry] of held) apply(name, entry)
  })

  function apply(name: string, entry: Held): void {
    const row = stored.get(name)
    if (row?.json === entry.json) return
    const old = entry.value
    entry.json = row?.json
    entry.updatedAt = row?.updatedAt
    entry.value = valueInForce(name, entry.definition, row)
    if (!isDeepStrictEqual(old, entry.value)) tell({ name, value: entry.value, old })
  }

  function tell(update: SettingUpdate): void {
    for (const heard of [update.name, '*'])
      for (const listener of listeners.get(heard) ?? []) {
        try {
          listener(update)
        } catch (error) {
          report(`listener of setting ${update.name}`, error)
        }
      }
  }

  function define(more: SettingDefinitions): void {
    checkDefinitions(more)
    for (const [name, definition] of Object.entries(more)) {
      if (held.has(name)) throw optionsError('setting', 'a name that is not defined yet', name)
      const entry: Held = { definition, value: undefined, json: undefined, updatedAt: undefined }
      entry.value = valueInForce(name, definition, undefined)
      held.set(name, entry)
      apply(name, entry)
    }
  }

  function entryOf(name: string): Held {
    const entry = held.get(name)
    if (!entry) throw unknownSetting(name, [...held.keys()])
    return entry
  }

  async function change(name: string, json: string | undefined, author: SettingAuthor): Promise<void> {
    if (typeof author?.who !== 'string' || author.who === '') throw optionsError('author.who', 'a name', author?.who)
    const isChanged = await database.transaction(async (tx) => {
      const written = await store.write(tx, name, json, author)
      if (written && isTransactional(bus)) await bus.publishIn(tx, TOPIC, { name })
      return written
    })
    if (isChanged && bus && !isTransactional(bus))
      // The change is made; processes that don't hear of it see it at their next refresh.
      await bus.publish(TOPIC, { name }).catch((error: unknown) => report('settings', error))
    await reload()
  }

  const refresher = createLoop('settings refresh', clock, async (signal) => {
    for (let wait = refresh; ; ) {
      await pause(clock, wait, AbortSignal.any([signal, news.signal]))
      if (signal.aborted) return
      news = new AbortController()
      try {
        await reload()
        wait = refresh
      } catch (error) {
        report('settings refresh', error)
        wait = Math.min(refresh, RETRY_MS)
      }
    }
  })

  const service = createService('settings', {
    async start() {
      const listening = { onMessage: () => news.abort(), onGap: () => news.abort() }
      unsubscribe = (await bus?.subscribe(TOPIC, listening)) ?? unsubscribe
      await reload()
      await refresher.start()
    },
    async stop(deadline) {
      await unsubscribe()
      await refresher.stop(deadline)
    },
  })

  define(definitions)
  return {
    ...service,
    get: (name: string) => entryOf(name).value as never,
    async set(name, value, author) {
      entryOf(name).definition.field.parse(value, `settings.${name}`)
      await change(name, JSON.stringify(value), author)
    },
    async reset(name, author) {
      entryOf(name)
      await change(name, undefined, author)
    },
    list: () => [...held].map(([name, entry]) => stateOf(name, entry)),
    history: (query = {}) => store.history(query),
    onChange(name, listener) {
      if (name !== '*') entryOf(name)
      const own = listeners.get(name) ?? new Set()
      listeners.set(name, own.add(listener))
      return () => void own.delete(listener)
    },
    define,
  }
}

function isTransactional(bus: Bus | undefined): bus is PostgresBus {
  return bus !== undefined && 'publishIn' in bus
}

function valueInForce(
  name: string,
  { field, default: standard }: SettingDefinition,
  row: StoredSetting | undefined,
): unknown {
  const path = `settings.${name}`
  if (row) {
    try {
      return field.parse(JSON.parse(row.json), path)
    } catch (error) {
      if (notice.hasSubscribers) {
        const message = `the stored value of '${name}' is not one for this release, so the default holds: ${(error as Error).message}`
        notice.publish({ source: 'settings', level: 'warn', message, fields: { name } })
      }
    }
  }
  return field.parse(standard, path)
}

function stateOf(name: string, { definition, json, updatedAt }: Held): SettingState {
  const { default: standard, description } = definition
  const isDefault = json === undefined
  return { name, value: isDefault ? standard : JSON.parse(json), default: standard, isDefault, description, updatedAt }
}
