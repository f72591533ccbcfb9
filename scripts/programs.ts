import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program that tests need beside what npm installs, and Debian's package of it. */
interface Program {
  names: readonly string[]
  debianPackage: string
  /** Variable that names another server or binary to use instead. */
  why: string
}

/** What the tests start on free ports of their own. */
const programs: readonly Program[] = [
  { names: ['redis-server'], debianPackage: 'redis-server', why: 'the Redis tests' },
  { names: ['pgbouncer'], debianPackage: 'pgbouncer', why: 'the tests behind a transaction pooler' },
  {
    names: ['chromium', 'chromium-browser', 'google-chrome'],
    debianPackage: 'chromium',
    why: 'the tests in a browser',
  },
  { names: ['rabbitmq-server'], debianPackage: 'rabbitmq-server', why: 'the messaging tests' },
  { names: ['openssl'], debianPackage: 'openssl', why: 'the certificates of the TLS tests' },
]

/** Finds every program, installs what is missing where that is possible, and otherwise says what to install. */
export function ensurePrograms(): void {
  const missing = programs.filter(({ names }) => !names.some(isOnPath))
  if (missing.length === 0) return
  const packages = missing.map((program) => program.debianPackage)
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    const list = missing.map(({ names, why }) => `${names[0]} (for ${why})`).join(', ')
    throw new Error(
      `the tests need ${list}. On Debian or Ubuntu: sudo apt-get install ${packages.join(' ')}; elsewhere install them so that they are on the PATH`,
    )
  }
  console.log(`Installing Debian's ${packages.join(', ')} for the tests …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' })
    if (status !== 0) throw new Error(`apt-get ${args.join(' ')} failed: ${stderr.trim()}`)
  }
}

function isOnPath(name: string): boolean {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
