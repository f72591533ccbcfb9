// A worker in a process of its own: each line of its input is a turn, each line of its output the reply. Arguments: URL, prefix.
import { createInterface } from 'node:readline'
import { createRedis } from '@tailwater/redis'
import { createRedisBackend } from '../../../src/backends/redis/index.ts'

const [url, prefix] = process.argv.slice(2)
const redis = createRedis({ url: url!, prefix: prefix! })
await redis.start()
const { work } = createRedisBackend({ redis })
for await (const line of createInterface({ input: process.stdin })) {
  const reply = await work.turn(JSON.parse(line))
  process.stdout.write(`${JSON.stringify({ ...reply, clock: Date.now() })}\n`)
}
await redis.stop()
