import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

/** One file of the built page, with the variants that the build compressed. */
export interface PageFile {
  type: string
  plain: Buffer
  br: Buffer | undefined
  gzip: Buffer | undefined
  /** Its name holds a hash of its content. */
  immutable: boolean
}

/** The files by their path within the page, such as `assets/index-CnsZ1jie.js`. */
export type PageFiles = ReadonlyMap<string, PageFile>

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
}

/**
 * Reads the built page whole, about a megabyte.
 *
 * Files are served from this list and from nowhere else, so that no path of a request ever reaches the file system.
 *
 * @returns undefined when the page is not built
 */
export async function readPageFiles(folder: string): Promise<PageFiles | undefined> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return []
      throw error
    },
  )
  const contents = new Map<string, Buffer>()
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    contents.set(relative(folder, path).split(sep).join('/'), await readFile(path))
  }
  return contents.has('index.html') ? withVariants(contents) : undefined
}

function withVariants(contents: ReadonlyMap<string, Buffer>): PageFiles {
  const files = new Map<string, PageFile>()
  for (const [path, plain] of contents) {
    const type = TYPES[extname(path)]
    if (!type) continue
    files.set(path, {
      type,
      plain,
      br: contents.get(`${path}.br`),
      gzip: contents.get(`${path}.gz`),
      immutable: path.startsWith('assets/'),
    })
  }
  return files
}
