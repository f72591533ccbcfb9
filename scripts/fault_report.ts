import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { root } from './checks/sources.ts'

/** One line of the journal that fault tests keep. */
interface FaultRun {
  fault: string
  seed: number
  mustHold: string
  figures: Record<string, number | string>
}

/** Writes what the fault tests counted as a dated page. @returns its path, relative to the root */
export function writeFaultReport(journal: string, passed: boolean): string {
  const lines = existsSync(journal) ? readFileSync(journal, 'utf8').trim().split('\n').filter(Boolean) : []
  const runs = lines.map((line) => JSON.parse(line) as FaultRun)
  const date = new Date().toISOString().slice(0, 10)
  const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`
  const sections = [...new Set(runs.map((run) => run.fault))].map((fault) => section(fault, runs))
  const page = [
    `# Fault tests of ${date}`,
    `${passed ? 'Every test passed.' : 'Some tests FAILED.'} ${machine}. Run again with \`npm run test:faults\`.`,
    ...sections,
  ].join('\n\n')
  const path = `test/faults/reports/${date}.md`
  mkdirSync(join(root, 'test/faults/reports'), { recursive: true })
  writeFileSync(join(root, path), `${page}\n`)
  return path
}

function section(fault: string, runs: readonly FaultRun[]): string {
  const own = runs.filter((run) => run.fault === fault)
  const columns = [...new Set(own.flatMap((run) => Object.keys(run.figures)))]
  const rows = own.map((run) => `| ${[run.seed, ...columns.map((column) => run.figures[column] ?? '')].join(' | ')} |`)
  return [
    `## ${fault}`,
    own[0]?.mustHold ?? '',
    '',
    `| ${['seed', ...columns].join(' | ')} |`,
    `|${' --- |'.repeat(columns.length + 1)}`,
    ...rows,
  ].join('\n')
}
