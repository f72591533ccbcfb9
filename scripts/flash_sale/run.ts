// npm run flash-sale
import { join } from 'node:path'
import { createEmbeddedPostgres } from '@tailwater/postgres/embedded'
import { startRedis } from '@tailwater/redis/testing'
import { createTailwater, type Tailwater } from 'tailwater'
import { root } from '../checks/sources.ts'
import { AT_ONCE, holdSale, SALE_EVERY, SECONDS } from './sale.ts'
import { steps } from './steps.ts'

const PROCESSES = 4

async function openPlatforms(url: string, redisUrl: string | undefined): Promise<Tailwater[]> {
  const platforms: Tailwater[] = []
  for (let process = 0; process < PROCESSES; process++) {
    const platform = await createTailwater({
      name: `process-${process}`,
      database: { url, max: 10 },
      dataDir: join(root, '.cache', 'flash-sale', `process-${process}`),
      secret: 'not a secret: nobody signs in to a flash sale',
      log: { level: 'warn' },
      ...(redisUrl ? { redisUrl } : {}),
    })
    await platform.start()
    platforms.push(platform)
  }
  return platforms
}

async function main(): Promise<void> {
  const postgres = createEmbeddedPostgres({ dataDir: join(root, '.cache', 'flash-sale', 'postgres') })
  await postgres.start()
  const redis = await startRedis()
  const alone = await openPlatforms(postgres.server.url, undefined)
  const sharing = await openPlatforms(postgres.server.url, redis.url)
  try {
    console.log(
      `${PROCESSES} processes, ${AT_ONCE} shoppers at once ten times a second for ${SECONDS} s, a piece sold every ${SALE_EVERY / 1_000} s\n`,
    )
    console.log('| what answers | shoppers | reads of the database | oldest answer |')
    console.log('| --- | --: | --: | --: |')
    for (const step of steps) {
      const { shoppers, reads, oldest } = await holdSale(step, step.isShared ? sharing : alone)
      const cells = [
        step.name,
        ...[shoppers, reads].map((count) => count.toLocaleString('en')),
        `${Math.round(oldest)} ms`,
      ]
      console.log(`| ${cells.join(' | ')} |`)
    }
  } finally {
    for (const platform of [...alone, ...sharing]) await platform.stop()
    await redis.stop()
    await postgres.stop()
  }
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
