import { readdirSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { type Cancel, systemClock } from '@tailwater/core'
import type { TestRedis } from '@tailwater/redis/testing'

/** Milliseconds between two looks at the file. */
const EVERY = 10

/** The file to which a Redis appends its changes, and how long it was when. */
export class AppendFile {
  readonly path: string
  readonly #sizes: { at: number; size: number }[] = []
  #cancel: Cancel = () => {}

  private constructor(path: string) {
    this.path = path
  }

  /** Looks at the file of a server from now on. */
  static async of(server: TestRedis): Promise<AppendFile> {
    const folder = /\$\d+\r\ndir\r\n\$\d+\r\n([^\r]+)/.exec(await server.ask('CONFIG GET dir'))![1]!
    const place = join(folder, 'appendonlydir')
    const file = new AppendFile(join(place, readdirSync(place).find((name) => name.endsWith('.incr.aof'))!))
    file.#look()
    return file
  }

  /** Looks no more. */
  stop(): void {
    this.#cancel()
  }

  /** Takes away what a dead server had written in its last milliseconds: a machine that dies with it may not have that on its disk. @returns bytes that are gone */
  cutLast(ms: number): number {
    this.stop()
    const { size } = statSync(this.path)
    const left = this.#sizes.findLast(({ at }) => at <= systemClock.elapsed() - ms)?.size ?? 0
    truncateSync(this.path, left)
    return size - left
  }

  #look(): void {
    this.#sizes.push({ at: systemClock.elapsed(), size: statSync(this.path).size })
    this.#cancel = systemClock.after(EVERY, () => this.#look())
  }
}
