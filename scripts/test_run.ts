// npm test: brings the shared servers up, runs every test file (or those named), and takes the servers down again.
// `--faults` runs the fault tests alone, with every seed, and writes a dated report.
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { createEmbeddedPostgres } from '@tailwater/postgres/embedded'
import { filesBelow, root } from './checks/sources.ts'
import { writeFaultReport } from './fault_report.ts'
import { ensurePrograms } from './programs.ts'

/** Files that run at once: they mostly wait for servers, so more than the two cores that CI has. */
const CONCURRENCY = 4

const isFaultRun = process.argv.includes('--faults')
const named = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))

function testFiles(): string[] {
  if (isFaultRun)
    return ['test/faults', 'test/upgrade', 'test/fuzz'].flatMap((folder) => filesBelow(folder, /\.test\.ts$/))
  const places = named.length > 0 ? named : ['packages', 'apps', 'test', 'scripts', 'bench']
  return places.flatMap((place) => {
    if (!existsSync(join(root, place))) throw new Error(`there is no ${place}`)
    return statSync(join(root, place)).isFile() ? [place] : filesBelow(place, /\.test\.ts$/)
  })
}

/** The slowest first: they wait for most of their time, and started last they would leave the machine half idle. */
function slowestFirst(files: readonly string[]): string[] {
  const isSlow = (file: string) => /^test\//.test(file)
  return [...files.filter(isSlow), ...files.filter((file) => !isSlow(file))]
}

/** @returns whether every test passed */
async function runTests(files: readonly string[], databaseUrl: string, journal: string): Promise<boolean> {
  Object.assign(process.env, {
    // The path to our Node first: what tests spawn by the name `node` must be it.
    PATH: `${join(root, 'node_modules', '.bin')}:${process.env['PATH'] ?? ''}`,
    TAILWATER_TEST_DATABASE_URL: databaseUrl,
    TAILWATER_TEST_FAULT_JOURNAL: journal,
    ...(isFaultRun ? { TAILWATER_TEST_ALL_SEEDS: '1' } : {}),
  })
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort())
  // Not `node --test`, which takes files in the order of their names.
  const tests = run({
    files: slowestFirst(files).map((file) => join(root, file)),
    cwd: root,
    concurrency: isFaultRun ? 1 : CONCURRENCY,
    timeout: isFaultRun ? 1_800_000 : 240_000,
    execArgv: ['--conditions=@tailwater/source', '--disable-warning=ExperimentalWarning'],
    signal: stopping.signal,
  })
  let isGood = true
  tests.on('test:fail', ({ todo }) => {
    if (todo === undefined || todo === false) isGood = false
  })
  await pipeline(tests, new spec(), process.stdout, { end: false })
  return isGood && !stopping.signal.aborted
}

async function main(): Promise<number> {
  ensurePrograms()
  const cache = join(root, '.cache')
  mkdirSync(cache, { recursive: true })
  const journal = join(cache, 'fault-journal.ndjson')
  rmSync(journal, { force: true })
  // Tests that need a commit to be on the disk start servers of their own.
  const postgres = createEmbeddedPostgres({
    dataDir: join(cache, 'test-postgres', 'shared'),
    maxConnections: 500,
    settings: { synchronous_commit: 'off' },
  })
  await postgres.start()
  try {
    const isGood = await runTests(testFiles(), postgres.server.adminUrl, journal)
    if (isFaultRun) console.log(`report: ${writeFaultReport(journal, isGood)}`)
    return isGood ? 0 : 1
  } finally {
    await postgres.stop()
  }
}

main().then(
  (code) => {
    process.exitCode = code
  },
  (error: Error) => {
    console.error(`\n  ${error.message}\n`)
    process.exitCode = 1
  },
)
