import type { Readable } from 'node:stream'

/** What is known of a stored file. */
export interface StoredFile {
  key: string
  bytes: number
  /** Milliseconds since the Unix epoch. */
  modifiedAt: number
}

/**
 * Keeps files by key. Keys are relative paths of letters, digits, `.`, `_`, `-` and `/`.
 *
 * A file appears under its key whole or not at all: `write` goes to a temporary name and is renamed when complete.
 */
export interface FileStore {
  /** Replaces the file at `key`. @throws E_FILE_KEY on a key that could leave the store */
  write(key: string, body: Uint8Array | Readable, options?: { signal?: AbortSignal }): Promise<StoredFile>
  /** @throws E_FILE_NOT_FOUND */
  read(key: string, options?: { start?: number; end?: number }): Promise<Readable>
  /** Undefined when there is none. */
  stat(key: string): Promise<StoredFile | undefined>
  list(prefix: string): AsyncIterable<StoredFile>
  /** Deletes the file if there is one. */
  delete(key: string): Promise<void>
}
