import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type FileStore, hasCode, type StoredFile, show, TailwaterError } from '@tailwater/core'

/** Ends the name of a file that is not complete; such files are never listed nor read. */
const PART = '.part'

/**
 * Files in a folder of the local disk.
 *
 * A file is written under another name, synced, and renamed: what stands at its key is always whole,
 * also after a crash. What a crash left half-written bears a name that is neither listed nor read.
 */
export function createDiskFileStore(folder: string): FileStore {
  const pathOf = (key: string) => join(folder, ...segmentsOf(key))

  async function describe(key: string, path: string): Promise<StoredFile | undefined> {
    const found = await stat(path).catch(absent)
    return found?.isFile() ? { key, bytes: found.size, modifiedAt: found.mtimeMs } : undefined
  }

  return {
    async write(key, body, { signal } = {}) {
      const path = pathOf(key)
      const part = `${path}.${randomBytes(6).toString('hex')}${PART}`
      await mkdir(dirname(path), { recursive: true })
      try {
        const source = body instanceof Uint8Array ? Readable.from([body]) : body
        await pipeline(source, createWriteStream(part), signal ? { signal } : {})
        await sync(part)
        await rename(part, path)
      } catch (error) {
        await rm(part, { force: true })
        throw error
      }
      return (await describe(key, path))!
    },
    async read(key, { start, end } = {}) {
      const path = pathOf(key)
      if (!(await describe(key, path)))
        throw new TailwaterError('E_FILE_NOT_FOUND', `there is no file ${show(key)}`, { key })
      return createReadStream(path, {
        ...(start === undefined ? {} : { start }),
        ...(end === undefined ? {} : { end }),
      })
    },
    stat: (key) => describe(key, pathOf(key)),
    async *list(prefix) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(absent)
      for (const entry of entries ?? []) {
        const path = join(entry.parentPath, entry.name)
        const key = relative(folder, path).replaceAll('\\', '/')
        if (!entry.isFile() || entry.name.endsWith(PART) || !key.startsWith(prefix)) continue
        const file = await describe(key, path)
        if (file) yield file
      }
    },
    delete: (key) => rm(pathOf(key), { force: true }),
  }
}

/** Segments of a key; refused when it could name a file outside the folder, or one that is being written. */
function segmentsOf(key: string): string[] {
  const segments = key.split('/')
  const isSafe = segments.every((segment) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(segment)) && !key.endsWith(PART)
  if (isSafe && key.length <= 500) return segments
  throw new TailwaterError(
    'E_FILE_KEY',
    `a file key is a relative path of letters, digits, '.', '_' and '-', got ${show(key)}`,
  )
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function absent(error: unknown): undefined {
  if (hasCode(error, 'ENOENT')) return undefined
  throw error
}
