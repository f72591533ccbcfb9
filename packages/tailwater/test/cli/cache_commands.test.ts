import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { listen, notice } from '@tailwater/core'
import { startRedis } from '@tailwater/redis/testing'
import { openPlatform } from '../platform/open_platform.ts'
import { commandLine } from './command_line.ts'

const server = await startRedis()
after(() => server.stop())
const tw = await openPlatform({ redisUrl: server.url })
await tw.start()
const products = tw.cache.define('product', {
  load: (id: number) => ({ id, name: `no. ${id}` }),
  ttl: '5m',
  tags: ['catalog'],
  warm: () => [501, 502, 503],
})
const { url } = tw.config.database
const tailwater = commandLine({ schema: tw.config.schema }, { DATABASE_URL: url!, REDIS_URL: server.url })

/** Sets products until the far tier has them: on a busy machine a write may take longer than the cache waits. */
async function fill(ids: readonly number[]): Promise<void> {
  const isThere = async (id: number) => (await tw.cache.inspect(`product:${id}`))?.far !== undefined
  do await products.setMany(ids.map((id) => [id, { id, name: `no. ${id}` }] as const))
  while (!(await Promise.all(ids.map(isThere))).every(Boolean))
}

it('stats count keys and bytes of each namespace in the far tier', async () => {
  await fill([1, 2, 3])
  do await tw.cache.set('total', 9)
  while (!(await tw.cache.inspect('default:total'))?.far)
  const { code, said } = await tailwater('cache', 'stats')
  assert.equal(code, 0)
  assert.match(said, /^namespace +keys +bytes$/m)
  assert.match(said, /^product +3 +\d+$/m)
  assert.match(said, /^default +1 +\d+$/m)
  const { json } = await tailwater('cache', 'stats', '--json')
  const { namespaces, backend } = json as { backend: string; namespaces: { namespace: string; keys: number }[] }
  assert.deepEqual([backend, namespaces.find(({ namespace }) => namespace === 'product')?.keys], ['redis', 3])
})

it('keys are listed by a pattern, up to a limit', async () => {
  await fill([1, 2, 3])
  const { said } = await tailwater('cache', 'keys', 'product:*')
  for (const id of [1, 2, 3]) assert.match(said, new RegExp(`^product:${id} +\\d+ +\\d+$`, 'm'))
  assert.doesNotMatch(said, /default:/)
  const { json } = await tailwater('cache', 'keys', 'product:*', '--limit', '2', '--json')
  const { keys, more } = json as { keys: unknown[]; more: boolean }
  assert.deepEqual([keys.length, more], [2, true])
  assert.equal((await tailwater('cache', 'keys', 'nothing:*')).said, 'There is no such key.')
})

/** Resolves when the namespace has nothing fresh under the id, in the memory of the running platform. */
async function forgotten(id: number): Promise<void> {
  while (products.getSync(id) !== undefined) await new Promise((resolve) => setImmediate(resolve))
}

it('what is invalidated is forgotten by the running process, and by the far tier', async () => {
  for (const args of [
    ['--key', '1', '--namespace', 'product'],
    ['--tag', 'catalog'],
    ['--pattern', '1*', '--namespace', 'product'],
    ['--all', '--namespace', 'product'],
    ['--all'],
  ]) {
    await products.get(1)
    const { code, complaints } = await tailwater('cache', 'invalidate', ...args)
    assert.equal(code, 0, complaints)
    await forgotten(1)
    assert.equal(await products.has(1), false, args.join(' '))
  }
})

it('a running process warms what it is asked for', async () => {
  const warmed = new Promise<unknown>((resolve) => {
    const end = listen(notice, ({ message, fields }) => {
      if (message !== 'warmed on request') return
      end()
      resolve(fields)
    })
  })
  const { code, said } = await tailwater('cache', 'warm', 'product')
  assert.deepEqual([code, said.includes("'product'")], [0, true])
  assert.deepEqual(await warmed, { namespace: 'product', loaded: 3, failed: 0 })
  assert.notEqual(products.getSync(502), undefined)
})

it('test takes a key through the far tier and leaves nothing behind', async () => {
  const { code, said } = await tailwater('cache', 'test')
  assert.equal(code, 0)
  assert.match(said, /^write +[\d.]+ ms\nread +[\d.]+ ms\ndelete +[\d.]+ ms\nread +[\d.]+ ms\nThe far tier \(redis\)/)
  assert.equal((await tailwater('cache', 'keys', 'default:tailwater-probe*')).said, 'There is no such key.')
})

it('health says what answers; a far tier that is away is a failure', async () => {
  const { code, said } = await tailwater('cache', 'health')
  assert.equal(code, 0)
  assert.match(said, /^far tier \(redis\) +up, [\d.]+ ms\nbus +up, [\d.]+ ms$/)
  const alone = commandLine({ schema: tw.config.schema }, { DATABASE_URL: url! })
  assert.match((await alone('cache', 'health')).said, /^bus +up, [\d.]+ ms$/)
  const { code: failed, complaints } = await alone('cache', 'stats')
  assert.deepEqual([failed, /there is no far tier/.test(complaints)], [1, true])
})

it('the tier in PostgreSQL is looked at in the same way', async () => {
  const postgres = commandLine({ schema: tw.config.schema, cache: { far: 'postgres' } }, { DATABASE_URL: url! })
  const { code, said } = await postgres('cache', 'test')
  assert.deepEqual([code, said.includes('The far tier (postgres) does as it should.')], [0, true])
  assert.equal((await postgres('cache', 'stats')).said, 'The far tier is empty.')
})

it('a wrong command line is explained', async () => {
  for (const [args, code, hint] of [
    [['cache', 'key'], 2, "did you mean 'cache keys'?"],
    [['cache', 'keys', '--limt', '3'], 2, "did you mean '--limit'?"],
    [['cache', 'keys', 'a', 'b'], 2, 'used so: [PATTERN]'],
    [['cache', 'warm'], 2, 'used so: <NAMESPACE>'],
    [['cache', 'warm', 'No'], 1, 'lower-case word'],
    [['cache', 'keys', '--limit', '0'], 1, '--limit must be a whole number from 1'],
    [['cache', 'invalidate'], 1, 'at least one of --key'],
    [['cache', 'invalidate', '--tag', '@all'], 1, "does not begin with '@'"],
    [['cache'], 2, 'unknown: cache'],
  ] as const) {
    const { code: ended, complaints } = await tailwater(...args)
    assert.deepEqual([ended, complaints.includes(hint)], [code, true], `${args.join(' ')}: ${complaints}`)
  }
  const { code, said } = await tailwater('cache', 'invalidate', '--help')
  assert.deepEqual([code, /--tag TAG/.test(said)], [0, true])
})
