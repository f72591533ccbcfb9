import { TailwaterError } from '@tailwater/core'
import { type BullMqReport, importBullMq } from '@tailwater/jobs/redis'
import { createRedis, type Redis } from '@tailwater/redis'
import type { Change } from '../../platform/command_changes.ts'
import type { Answer, Call } from '../command_family.ts'
import { listOf, textOf, wrongOption } from '../option_values.ts'
import { existingQueue, type JobsTools } from './jobs_tools.ts'

/** Of the reasons why jobs were left out, those that are told; the rest is counted. */
const REASONS = 10
/** Exit code when something was left behind: jobs that run, or cannot be taken over. */
const LEFT_BEHIND = 3

/** Takes waiting, delayed and repeatable jobs over from a queue of BullMQ. */
export async function importBullMqJobs(tools: JobsTools, call: Call): Promise<Answer> {
  const [queue = ''] = call.words
  const { name: to } = await existingQueue(tools, textOf(call, 'to') ?? queue)
  const kinds = kindsOf(call)
  const prefix = textOf(call, 'prefix') ?? 'bull'
  const dryRun = call.options['dry-run'] === true
  const redis = openSource(tools, textOf(call, 'from'))
  try {
    await redis.start()
    const report = await importBullMq({
      redis,
      queue,
      prefix,
      jobs: tools.jobs,
      to,
      kinds,
      dryRun,
      onProgress: ({ read, total }) => tools.progress(`${read} of ${total} jobs read`),
    })
    return {
      value: { ...report, dryRun },
      lines: linesOf(report, { to, dryRun }),
      code: report.active > 0 || report.skipped.length > 0 ? LEFT_BEHIND : 0,
      ...(!dryRun && { change: changeOf(report, queue, to) }),
    }
  } finally {
    await redis.stop()
  }
}

function openSource({ redisUrl, clock }: JobsTools, from: string | undefined): Redis {
  const url = from ?? redisUrl
  if (url !== undefined) return createRedis({ url, clock, name: 'tailwater-import' })
  throw new TailwaterError('E_OPTIONS', 'say where the Redis of BullMQ is: --from redis://host:6379, or REDIS_URL')
}

function changeOf({ imported, schedules }: BullMqReport, from: string, to: string): Change {
  return { action: 'queueImport', target: to, fields: { from, imported, schedules: schedules.length } }
}

/** `--kind sendMail=send-mail` */
function kindsOf(call: Call): Record<string, string> {
  const pairs = listOf(call, 'kind').map((text) => {
    const at = text.lastIndexOf('=')
    if (at < 1 || at === text.length - 1) throw wrongOption('kind', 'NAME=KIND, such as sendMail=send-mail', text)
    return [text.slice(0, at), text.slice(at + 1)] as const
  })
  return Object.fromEntries(pairs)
}

function linesOf(report: BullMqReport, { to, dryRun }: { to: string; dryRun: boolean }): string[] {
  const { imported, known, schedules, skipped, active } = report
  const would = dryRun ? 'would be' : imported === 1 ? 'is' : 'are'
  return [
    `${jobs(imported)} ${would} stored in '${to}'.`,
    ...(known > 0 ? [`${jobs(known)} had been stored by an import before.`] : []),
    ...(schedules.length > 0 ? [`Schedules${dryRun ? ' that would be put' : ''}: ${schedules.join(', ')}`] : []),
    ...reasonsOf(skipped),
    ...(active > 0 ? [`${jobs(active)} still run in BullMQ: import again when they have ended.`] : []),
  ]
}

function reasonsOf(skipped: BullMqReport['skipped']): string[] {
  const byReason = Map.groupBy(skipped, ({ reason }) => reason)
  const told = [...byReason].slice(0, REASONS).map(([reason, [first, ...rest]]) => {
    const others = rest.length > 0 ? ` and ${rest.length} more` : ''
    return `Left out: ${first!.id}${others}: ${reason}`
  })
  return byReason.size > REASONS ? [...told, `… and for ${byReason.size - REASONS} other reasons (--json)`] : told
}

const jobs = (count: number) => `${count} ${count === 1 ? 'job' : 'jobs'}`
