import type { FileStore } from '@tailwater/core'
import { problem, type Reply, stream } from '@tailwater/http'

/** How a file is answered. */
export interface StoredFileReply {
  files: FileStore
  key: string
  type: string
  /** What a browser calls it when it keeps it. */
  name: string
  /** Said when there is none (yet). */
  missing: string
}

/** Sends a file of the store. @throws E_NOT_FOUND */
export async function sendFile({ files, key, type, name, missing }: StoredFileReply): Promise<Reply> {
  const file = await files.stat(key)
  if (!file) throw problem(404, 'E_NOT_FOUND', missing)
  return stream(await files.read(key), {
    headers: {
      'content-type': type,
      'content-length': String(file.bytes),
      'content-disposition': `inline; filename="${name}"`,
      'cache-control': 'private, no-cache',
      // Shown by a browser it may load and run nothing.
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
    },
  })
}
