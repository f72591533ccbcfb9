import { resolveConfig, type TailwaterConfig } from '../config.ts'
import { openGround } from '../platform/ground.ts'
import type { Terminal } from './terminal.ts'

/** Applies pending migrations, prints their SQL (`--print`), or says what is pending (`--check`). */
export async function migrate(given: TailwaterConfig, flags: readonly string[], { say }: Terminal): Promise<number> {
  const ground = await openGround(resolveConfig({ ...given, migrations: 'auto' }), say)
  try {
    await ground.database.start()
    let count = 0
    for (const migrator of ground.migrators) {
      const { pending } = await migrator.status()
      count += pending.length
      if (flags.includes('--print')) say(await migrator.print())
      else for (const one of pending) say(`pending: ${one.module} ${one.version}, ${one.name}`)
      if (flags.length === 0) await migrator.run()
    }
    if (flags.includes('--print')) return 0
    say(count === 0 ? 'Nothing is pending.' : flags.includes('--check') ? `${count} pending.` : `${count} applied.`)
    return flags.includes('--check') && count > 0 ? 3 : 0
  } finally {
    await ground.database.stop()
    await ground.embedded?.stop()
  }
}
