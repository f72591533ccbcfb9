import { toError } from '@tailwater/core'
import { createRedis } from '@tailwater/redis'
import { resolveConfig, type TailwaterConfig } from '../config.ts'
import { probeBroker } from '../platform/broker_probe.ts'
import { type Ground, openGround } from '../platform/ground.ts'
import type { Terminal } from './terminal.ts'

/** Asks every server of the configuration whether it answers. Exit code 1 when one does not. */
export async function status(given: TailwaterConfig, { say }: Terminal): Promise<number> {
  const config = resolveConfig(given)
  const lines: [name: string, ask: () => Promise<string>][] = [['database', () => databaseStatus(given)]]
  if (config.redisUrl) lines.push(['Redis', () => redisStatus(config.redisUrl!)])
  if (config.amqpUrl) lines.push(['RabbitMQ', () => probeBroker(config.amqpUrl!, config.clock).then(() => 'up')])
  let code = 0
  for (const [name, ask] of lines) {
    const answer = await ask().catch((error: unknown) => {
      code = 1
      return `down: ${toError(error).message}`
    })
    say(`${name.padEnd(16)}${answer}`)
  }
  return code
}

async function databaseStatus(given: TailwaterConfig): Promise<string> {
  const ground = await openGround(resolveConfig(given), () => {})
  try {
    await ground.database.start()
    const { rows } = await ground.database.query<{ version: string }>(
      "SELECT current_setting('server_version') AS version",
    )
    return `up, PostgreSQL ${rows[0]?.version}, ${await pendingCount(ground)} migrations pending`
  } finally {
    await ground.database.stop()
    await ground.embedded?.stop()
  }
}

async function redisStatus(url: string): Promise<string> {
  const redis = createRedis({ url })
  try {
    await redis.start()
    return `up, ${redis.topology}`
  } finally {
    await redis.stop()
  }
}

async function pendingCount({ migrators }: Ground): Promise<number> {
  let count = 0
  for (const migrator of migrators) count += (await migrator.status()).pending.length
  return count
}
