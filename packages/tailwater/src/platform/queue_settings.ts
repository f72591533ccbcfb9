import { backgroundError, duration, type Field, integer, optionsError, parseDuration, toError } from '@tailwater/core'
import type { Backoff, Jobs, QueueOptions, RateOption } from '@tailwater/jobs'
import { type SettingDefinitions, setting } from '@tailwater/postgres'
import type { PlatformSettings } from './settings.ts'

/** Days in milliseconds. */
const DAY = 86_400_000

/** What may be said of one queue while the processes run: undefined is what the code says, null is no limit. */
interface Said {
  concurrency: number | undefined
  attempts: number | undefined
  backoff: Backoff | undefined
  timeout: number | null | undefined
  rate: RateOption | null | undefined
  keyRate: RateOption | null | undefined
  keyConcurrency: number | null | undefined
  keep: number | undefined
}

/**
 * Lets every queue be changed while the processes run: `jobs.email.rate`, `jobs.email.attempts` and so on.
 *
 * Each process hears of a change and changes its own engine; what holds over all processes each of them stores, and all store the same.
 *
 * @param configured the queues as the configuration has them
 */
export function steerQueues(
  jobs: Pick<Jobs, 'configure'>,
  configured: Readonly<Record<string, QueueOptions>>,
  settings: PlatformSettings,
): void {
  for (const [queue, options] of Object.entries({ default: {}, ...configured })) {
    const names = Object.keys(fields) as (keyof Said)[]
    settings.define(definitionsOf(queue))
    const said = () => Object.fromEntries(names.map((name) => [name, settings.get(`jobs.${queue}.${name}`)]))
    const apply = () => void jobs.configure(queue, changeOf(said() as unknown as Said, options)).catch(report)
    for (const name of names) settings.onChange(`jobs.${queue}.${name}`, apply)
    // Some may stand in the table already; before the settings' start these are the defaults, and change nothing.
    apply()
  }
}

function report(error: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'jobs settings', error: toError(error) })
}

/** The change that makes a queue of the configuration one as the settings want it. */
export function changeOf(said: Said, { limits, retention }: QueueOptions): QueueOptions {
  const perKey = withLimits({ ...limits?.perKey }, { rate: said.keyRate, concurrency: said.keyConcurrency })
  return {
    ...(said.concurrency !== undefined && { concurrency: said.concurrency }),
    ...(said.attempts !== undefined && { attempts: said.attempts }),
    ...(said.backoff !== undefined && { backoff: said.backoff }),
    ...(said.timeout === null ? { timeout: undefined } : said.timeout !== undefined && { timeout: said.timeout }),
    limits: withLimits({ ...limits, perKey }, { rate: said.rate }),
    ...(said.keep !== undefined && { retention: { ...retention, completed: said.keep } }),
  }
}

/** Null takes a limit away, undefined leaves it. */
function withLimits<Limits extends object>(
  limits: Limits,
  said: { [Name in keyof Limits]?: Limits[Name] | null | undefined },
): Limits {
  const given = Object.entries(said).filter(([, value]) => value !== undefined)
  const all = { ...limits, ...Object.fromEntries(given) }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined)) as Limits
}

/** As the code says, or what a field reads. */
function orConfigured<In, Out>(field: Field<In, Out>): Field<In | 'configured', Out | undefined> {
  return { parse: (value, path) => (value === 'configured' ? undefined : field.parse(value, path)) }
}

/** No limit, or what a field reads. */
function orNone<In, Out>(field: Field<In, Out>): Field<In | 'none', Out | null> {
  return { parse: (value, path) => (value === 'none' ? null : field.parse(value, path)) }
}

/** `10/1s` */
const rate: Field<string, RateOption> = {
  parse(value, path) {
    const [, count, per] = /^([1-9]\d{0,6})\/(\d.*)$/.exec(String(value)) ?? []
    if (count === undefined || per === undefined || Number(count) > 1_000_000)
      throw optionsError(path, "a rate such as '10/1s'", value)
    return { count: Number(count), per: duration({ min: 1, max: DAY }).parse(per, path) }
  },
}

/** `exponential 1s to 10m` */
const backoff: Field<string, Backoff> = {
  parse(value, path) {
    const [, type, delay, max] = /^(exponential|linear|fixed) (\S+)(?: to (\S+))?$/.exec(String(value)) ?? []
    if (type === undefined || delay === undefined)
      throw optionsError(path, "a backoff such as 'exponential 1s to 10m' or 'fixed 30s'", value)
    return {
      type: type as 'exponential' | 'linear' | 'fixed',
      delay: parseDuration(delay, path),
      ...(max !== undefined && { max: parseDuration(max, path) }),
    }
  },
}

const places = integer({ min: 0, max: 10_000 })

const fields = {
  concurrency: { field: orConfigured(places), what: 'Jobs that each process runs at once' },
  attempts: {
    field: orConfigured(integer({ min: 1, max: 1_000 })),
    what: 'Attempts of jobs that are enqueued from now on',
  },
  backoff: { field: orConfigured(backoff), what: "Wait after a failed attempt, such as 'exponential 1s to 10m'" },
  timeout: {
    field: orConfigured(orNone(duration({ min: 1 }))),
    what: 'Longest time of an attempt of jobs enqueued from now on, or none',
  },
  rate: {
    field: orConfigured(orNone(rate)),
    what: "Jobs that begin within a time over all processes, such as '10/1s', or none",
  },
  keyRate: {
    field: orConfigured(orNone(rate)),
    what: "Jobs of one key that begin within a time, such as '5/1s', or none",
  },
  keyConcurrency: {
    field: orConfigured(orNone(integer({ min: 1, max: 1_000_000 }))),
    what: 'Jobs of one key that run at once over all processes, or none',
  },
  keep: { field: orConfigured(duration({ max: 30 * DAY })), what: 'How long completed jobs are kept' },
} satisfies { [Name in keyof Said]: { field: Field<unknown, Said[Name]>; what: string } }

function definitionsOf(queue: string): SettingDefinitions {
  return Object.fromEntries(
    Object.entries(fields).map(([name, { field, what }]) => [
      `jobs.${queue}.${name}`,
      setting<unknown, unknown>({
        field,
        default: 'configured',
        description: `${what}, in queue '${queue}'; \`configured\` is what the code says.`,
      }),
    ]),
  )
}
