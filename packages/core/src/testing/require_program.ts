import { accessSync, constants, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Where servers lie that are not for everybody's PATH. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/opt/homebrew/bin', '/opt/homebrew/sbin']

/** Debian keeps each PostgreSQL version's programs in a folder of its own, the newest last. */
const DEBIAN_POSTGRES = '/usr/lib/postgresql'

/**
 * Finds a program that a test needs, on the PATH or where systems keep their servers.
 *
 * A missing one fails the test: it is never skipped in silence.
 *
 * @returns its path
 * @throws Error which says what to install
 */
export function requireProgram(name: string, { debianPackage = name }: { debianPackage?: string } = {}): string {
  const path = (process.env['PATH'] ?? '').split(delimiter)
  const found = [...path, ...SERVER_FOLDERS, ...debianPostgres()].map((folder) => join(folder, name)).find(isExecutable)
  if (found) return found
  throw new Error(
    `this test needs '${name}', which is not on the PATH: install it (Debian: apt-get install ${debianPackage})`,
  )
}

function debianPostgres(): string[] {
  try {
    const versions = readdirSync(DEBIAN_POSTGRES).toSorted((a, b) => Number(b) - Number(a))
    return versions.map((version) => join(DEBIAN_POSTGRES, version, 'bin'))
  } catch {
    // Not Debian, or no PostgreSQL of its own.
    return []
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    // Not there, or not for us.
    return false
  }
}
