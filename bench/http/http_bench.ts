import { freePort } from '@tailwater/core/testing'
import type { Bench, BenchOptions } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import type { Measured } from '../harness/row.ts'
import { ServerProcess } from '../harness/server_process.ts'
import { CacheSuite, type Score } from './cache_suite.ts'
import { NGINX_SETTINGS, Nginx, nginxVersion } from './nginx.ts'

/** A score hardly differs from run to run; the second run shows that it does not. */
const ROUNDS = 2
const PATIENCE = 20_000

/** Tests that must pass, of 160 and 105. */
const TARGETS = { required: 135, optimal: 72 }

/** `bench http`: the public suite for HTTP caches against our proxy and nginx. */
export const httpBench: Bench = {
  name: 'http',
  async run(options) {
    const suite = await CacheSuite.start(process.env['CACHE_TESTS_DIR'], await freePort())
    try {
      const ours: Score[] = []
      const theirs: Score[] = []
      for (let round = 1; round <= (options.rounds ?? (options.quick ? 1 : ROUNDS)); round++) {
        ours.push(await scoreOurs(suite))
        theirs.push(await scoreNginx(suite))
        sayRound(options, round, ours.at(-1)!, theirs.at(-1)!)
      }
      const rows = (['required', 'optimal'] as const).map((kind) => rowOf(kind, ours, theirs))
      const versions = {
        node: process.versions.node,
        nginx: nginxVersion(),
        ...packageVersions(['@tailwater/http'], '.'),
      }
      return { rows, versions }
    } finally {
      suite.stop()
    }
  },
}

async function scoreOurs(suite: CacheSuite): Promise<Score> {
  const server = await ServerProcess.start({
    args: [
      '--conditions=@tailwater/source',
      '--disable-warning=ExperimentalWarning',
      'bench/http/our_proxy.ts',
      suite.origin,
    ],
    env: {},
    port: /listening on port (\d+)/,
    patience: PATIENCE,
  })
  try {
    return await suite.run(`http://127.0.0.1:${server.port}`)
  } finally {
    await server.stop()
  }
}

async function scoreNginx(suite: CacheSuite): Promise<Score> {
  const nginx = await Nginx.start(suite.origin, await freePort())
  try {
    return await suite.run(nginx.url)
  } finally {
    await nginx.stop()
  }
}

function sayRound({ say }: BenchOptions, round: number, ours: Score, theirs: Score): void {
  const told = ({ required, optimal }: Score) =>
    `${required.passed} of ${required.all} required, ${optimal.passed} of ${optimal.all} optimal`
  say(`round ${round}: ours ${told(ours)}; nginx ${told(theirs)}`)
}

function rowOf(kind: 'required' | 'optimal', ours: readonly Score[], theirs: readonly Score[]): Measured {
  return {
    row: {
      row: 'http cache',
      peer: 'nginx',
      metric: kind,
      unit: `of ${ours[0]![kind].all}`,
      better: 'higher',
      ours: ours.map((score) => score[kind].passed),
      theirs: theirs.map((score) => score[kind].passed),
      settings: { ours: 'createCachingProxy, cookies of requests ignored', theirs: NGINX_SETTINGS },
      checked: 'a test counts only if those that it depends on pass; tests for CDNs are in, those for browsers out',
    },
    target: { kind: 'count', atLeast: TARGETS[kind] },
  }
}
