import assert from 'node:assert/strict'
import type { Redis } from '@tailwater/redis'

/** States in which jobs stand in an order of their own. */
const PLACES = ['available', 'scheduled', 'retryable', 'pending', 'completed', 'cancelled', 'dead']
const KEPT = ['kept-completed', 'kept-cancelled', 'kept-dead']

/** All that Redis holds for a backend, by the part of its key after the root. */
interface Contents {
  keys: string[]
  hash(name: string): Promise<Map<string, string>>
  zset(name: string): Promise<string[]>
  set(name: string): Promise<string[]>
  list(name: string): Promise<string[]>
}

/**
 * Checks that every key, and every member of each, is explained by a job, a worker or a setting that there is: that nothing was left behind, and that every
 * job stands in exactly one place.
 */
export async function auditKeys(redis: Redis): Promise<void> {
  const contents = await contentsOf(redis)
  const jobs = new Set((await contents.hash('job')).keys())
  const queues = await contents.set('queues')
  const held = await auditWorkers(contents, jobs)
  for (const queue of queues) await auditQueue(contents, queue, held)
  await auditPlaces(contents, jobs, queues, held)
  await auditRecords(contents, jobs)
  for (const key of contents.keys)
    assert.ok(
      /^(job|more|link|note|wait|unique|unique-ends|queues|config|paused|awake|running|pace|tick|workers|schedules|keyed)$/.test(
        key,
      ) ||
        /^(all|available|scheduled|retryable|pending|completed|cancelled|dead|kept-\w+|minutes|spans|lanes|heads|busy|paced|resting|turns|served|lane|held|stop|seen|kids|log|schedule):/.test(
          key,
        ),
      `${key} is a key that nobody knows`,
    )
}

async function contentsOf(redis: Redis): Promise<Contents> {
  const root = redis.keyspace('jobs')()
  const all = await redis.command<string[]>('KEYS', `${root.replaceAll(/[[\]*?]/g, '\\$&')}:*`)
  const key = (name: string) => `${root}:${name}`
  return {
    keys: all.map((name) => name.slice(root.length + 1)),
    async hash(name) {
      const flat = await redis.command<string[]>('HGETALL', key(name))
      return new Map(flat.flatMap((field, at) => (at % 2 === 0 ? [[field, flat[at + 1]!] as const] : [])))
    },
    zset: (name) => redis.command('ZRANGE', key(name), 0, -1),
    set: (name) => redis.command('SMEMBERS', key(name)),
    list: (name) => redis.command('LRANGE', key(name), 0, -1),
  }
}

interface Held {
  queue: string
  id: string
}

async function auditWorkers(contents: Contents, jobs: ReadonlySet<string>): Promise<Held[]> {
  const workers = await contents.zset('workers')
  const held: Held[] = []
  for (const name of named(contents, 'held:')) {
    assert.ok(workers.includes(name), `${name} holds jobs and is no worker`)
    for (const [id, text] of await contents.hash(`held:${name}`))
      held.push({ id, queue: text.split(':').slice(5).join(':') })
  }
  for (const name of named(contents, 'stop:'))
    for (const id of await contents.set(`stop:${name}`))
      assert.ok((await contents.hash(`held:${name}`)).has(id), `${name} is to stop ${id}, which it does not hold`)
  for (const name of named(contents, 'seen:')) assert.ok(workers.includes(name), `${name} was seen and is no worker`)
  for (const { id } of held) assert.ok(jobs.has(id), `${id} is held and is no job`)
  return held
}

/** Counters and lanes of one queue. */
async function auditQueue(contents: Contents, queue: string, held: readonly Held[]): Promise<void> {
  const links = await linksOf(contents)
  const running = held.filter((one) => one.queue === queue)
  assert.equal(Number((await contents.hash('running')).get(queue) ?? 0), running.length, `running in ${queue}`)
  const config = ((await contents.hash('config')).get(queue) ?? '').split(':')
  const busy = await contents.hash(`busy:${queue}`)
  if (config[3]) {
    const counted = new Map<string, string>()
    for (const { id } of running) {
      const key = links.get(id)?.[2]
      if (key) counted.set(key, String(Number(counted.get(key) ?? 0) + 1))
    }
    assert.deepEqual([...busy].sort(), [...counted].sort(), `busy keys of ${queue}`)
  }
  const heads = await contents.hash(`heads:${queue}`)
  assert.deepEqual([...heads.values()].sort(), (await contents.zset(`lanes:${queue}`)).sort(), `lanes of ${queue}`)
  const waiting = new Set([...heads.keys(), ...busy.keys(), ...(await contents.zset(`resting:${queue}`))])
  const prefix = `lane:${Buffer.byteLength(queue)}:${queue}:`
  for (const key of named(contents, prefix))
    assert.ok(waiting.has(key), `the lane of ${key} in ${queue} is found by nobody`)
}

async function auditPlaces(
  contents: Contents,
  jobs: ReadonlySet<string>,
  queues: readonly string[],
  held: readonly Held[],
): Promise<void> {
  const standing: string[] = held.map(({ id }) => id)
  const listed: string[] = []
  for (const queue of queues) {
    listed.push(...(await contents.zset(`all:${queue}`)))
    for (const place of [...PLACES, ...KEPT]) standing.push(...(await contents.zset(`${place}:${queue}`)))
    for (const key of named(contents, `lane:${Buffer.byteLength(queue)}:${queue}:`))
      standing.push(...(await contents.zset(`lane:${Buffer.byteLength(queue)}:${queue}:${key}`)))
  }
  assert.deepEqual(listed.sort(), [...jobs].sort(), 'every job is among all of one queue')
  assert.deepEqual(standing.sort(), [...jobs].sort(), 'every job stands in one place')
}

/** What is kept beside jobs belongs to one. */
async function auditRecords(contents: Contents, jobs: ReadonlySet<string>): Promise<void> {
  for (const name of ['more', 'link', 'note', 'wait'])
    for (const id of (await contents.hash(name)).keys()) assert.ok(jobs.has(id), `${name} has ${id}, which is no job`)
  for (const id of [...named(contents, 'kids:'), ...named(contents, 'log:')]) assert.ok(jobs.has(id), `${id} is no job`)
  const links = await linksOf(contents)
  for (const member of await contents.zset('keyed')) {
    const [key, id] = member.split('\0')
    assert.equal(links.get(id!)?.[2], key, `${id} carries ${key}`)
  }
  const ends = new Set(await contents.zset('unique-ends'))
  for (const [key, text] of await contents.hash('unique')) {
    const [id, end] = text.split(':')
    if (end) assert.ok(ends.has(key), `the end of the unique key ${key} is not known`)
    else assert.equal(links.get(id!)?.[1], key, `${id} stands for ${key}`)
  }
}

async function linksOf(contents: Contents): Promise<Map<string, string[]>> {
  return new Map(
    [...(await contents.hash('link'))].map(([id, text]) => [
      id,
      text.startsWith('k') ? ['', '', text.slice(1)] : (JSON.parse(text) as string[]),
    ]),
  )
}

const named = ({ keys }: Contents, prefix: string) =>
  keys.filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
