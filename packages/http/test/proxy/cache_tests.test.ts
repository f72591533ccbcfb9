// The public suite for HTTP caches (cache-tests.fyi), in the version that is on npm, against our proxy.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, it } from 'node:test'
import { freePort } from '@tailwater/core/testing'
import { getResults, runTests } from 'http-cache-tests/client/runner.mjs'
import tests, { type Kind } from 'http-cache-tests/tests/index.mjs'
import surrogate from 'http-cache-tests/tests/surrogate-control.mjs'
import fetch from 'node-fetch'
import { createCachingProxy } from '../../src/index.ts'
import { serveListener } from '../served.ts'

const suites = [...tests, surrogate]

/** The suite's own server, in a process of its own. */
async function startOrigin(): Promise<{ url: string; stop(): void }> {
  const port = String(await freePort())
  const env = {
    ...process.env,
    npm_config_protocol: 'http',
    npm_config_port: port,
    npm_config_pidfile: join(tmpdir(), `cache-tests-${port}.pid`),
  }
  const program = createRequire(import.meta.url).resolve('http-cache-tests/server/server.mjs')
  const child = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const [said] = await once(child.stdout, 'data')
  assert.match(String(said), /^Listening/)
  child.stdout.resume()
  return { url: `http://127.0.0.1:${port}`, stop: () => void child.kill() }
}

type Results = ReturnType<typeof getResults>

const all = suites.flatMap((suite) => suite.tests)
const byId = new Map(all.map((one) => [one.id, one]))

/** As the suite itself counts (`determineTestResult`): a test has passed only if those that it depends on have, too. Without that a proxy that caches nothing passes 90. */
function hasPassed(id: string, results: Results): boolean {
  return results[id] === true && (byId.get(id)?.depends_on ?? []).every((other) => hasPassed(other, results))
}

/** Passed, all, and what has failed, of one kind. */
function score(kind: Kind, results: Results) {
  const counted = all.filter((one) => !one.browser_only && (one.kind ?? 'required') === kind)
  const failed = counted.filter(({ id }) => !hasPassed(id, results)).map(({ id }) => id)
  return { all: counted.length, passed: counted.length - failed.length, failed }
}

const origin = await startOrigin()
const proxy = createCachingProxy({
  origin: origin.url,
  cache: { cookies: 'ignore', targets: ['surrogate-control', 'cdn-cache-control'] },
})
const front = await serveListener(proxy)
after(async () => {
  proxy.close()
  await front.close()
  origin.stop()
})

it('passes the public suite for HTTP caches', async (test) => {
  await runTests(suites, fetch, false, front.url)
  const results = getResults()
  const scores = {
    required: score('required', results),
    optimal: score('optimal', results),
    check: score('check', results),
  }
  for (const [kind, { passed, all, failed }] of Object.entries(scores))
    test.diagnostic(`${kind}: ${passed} of ${all}; not: ${failed.join(', ')}`)
  const { required, optimal } = scores
  assert.deepEqual([required.all, optimal.all], [165, 95])
  assert.ok(required.passed >= 148, `${required.passed} required`)
  assert.ok(optimal.passed >= 86, `${optimal.passed} optimal`)
})
