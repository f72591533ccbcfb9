import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Passed tests and all, of the two kinds that count. */
export interface Score {
  required: { passed: number; all: number }
  optimal: { passed: number; all: number }
}

interface Test {
  id: string
  kind?: 'required' | 'optimal' | 'check'
  browser_only?: boolean
}
type Suites = readonly { tests: readonly Test[] }[]
interface Results {
  determineTestResult(suites: Suites, id: string, results: object): unknown
  resultTypes: { pass: unknown }
}

/**
 * The public suite for HTTP caches, in a checkout of https://github.com/http-tests/cache-tests that is no part of this repository.
 *
 * Scored as its own site does: a test counts only if those that it depends on pass too; tests for CDNs are in, those for browsers are out.
 */
export class CacheSuite {
  readonly #folder: string
  readonly #port: number
  readonly #origin: ChildProcess

  private constructor(folder: string, port: number) {
    this.#folder = folder
    this.#port = port
    this.#origin = spawn(process.execPath, ['test-engine/server/server.mjs'], {
      cwd: folder,
      env: {
        ...process.env,
        npm_config_protocol: 'http',
        npm_config_port: String(port),
        npm_config_pidfile: join(tmpdir(), `cache-tests-${port}.pid`),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }

  /** Starts the suite's own origin. @throws when the folder does not hold the suite */
  static async start(folder: string | undefined, port: number): Promise<CacheSuite> {
    if (folder === undefined || !existsSync(join(folder, 'test-engine', 'cli.mjs')))
      throw new Error(
        '\nSet CACHE_TESTS_DIR to a checkout of https://github.com/http-tests/cache-tests, with its packages installed.\n',
      )
    const suite = new CacheSuite(folder, port)
    const stdout = suite.#origin.stdout!
    const exited = once(suite.#origin, 'exit').then(() => {
      throw new Error('the origin of the suite ended')
    })
    await Promise.race([once(stdout, 'data'), exited])
    exited.catch(() => {})
    stdout.resume()
    return suite
  }

  /** The address that a proxy under test passes requests on to. */
  get origin(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  /** Runs every test against a proxy, which takes a minute. */
  async run(proxy: string): Promise<Score> {
    const env = { ...process.env, npm_config_base: proxy, npm_config_id: '', npm_package_config_id: '' }
    const child = spawn(process.execPath, ['--no-warnings', 'test-engine/cli.mjs'], {
      cwd: this.#folder,
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`the suite ended with ${code}`)
    // Before the results it says which tests it does again.
    return this.#score(JSON.parse(printed.slice(printed.indexOf('{'))) as object)
  }

  async #score(results: object): Promise<Score> {
    const { default: suites } = (await import(pathToFileURL(join(this.#folder, 'tests', 'index.mjs')).href)) as {
      default: Suites
    }
    const judge = (await import(pathToFileURL(join(this.#folder, 'test-engine', 'lib', 'results.mjs')).href)) as Results
    const tests = suites.flatMap((suite) => suite.tests).filter((test) => !test.browser_only)
    const hasPassed = ({ id }: Test) => judge.determineTestResult(suites, id, results) === judge.resultTypes.pass
    const scoreOf = (kind: Test['kind']) => {
      const counted = tests.filter((test) => (test.kind ?? 'required') === kind)
      return { passed: counted.filter(hasPassed).length, all: counted.length }
    }
    return { required: scoreOf('required'), optimal: scoreOf('optimal') }
  }

  stop(): void {
    this.#origin.kill()
  }
}
