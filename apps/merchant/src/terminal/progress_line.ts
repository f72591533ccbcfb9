import type { Clock } from '@tailwater/core'
import type { Progress } from '../data/progress.ts'

/** What a line is written to: a terminal, or a file. */
export interface LineOutput {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

/** Shows how far a long piece of work is. */
export interface ProgressLine {
  readonly report: Progress
  /** Ends the line, so that what comes next begins on its own. */
  end(): void
}

const BAR_WIDTH = 28
/** Milliseconds between two drawings on a terminal; more often only costs time. */
const REDRAW = 80
/** Milliseconds between two lines where there is no terminal to draw on. */
const NEXT_LINE = 5_000

/** A bar that is drawn over itself on a terminal; elsewhere a line every five seconds. */
export function createProgressLine(output: LineOutput, clock: Clock): ProgressLine {
  const startedAt = clock.elapsed()
  let drawnAt = Number.NEGATIVE_INFINITY
  let isOpen = false

  function draw(share: number, label: string): void {
    const percent = `${Math.floor(share * 100)} %`.padStart(5)
    const seconds = `${Math.round((clock.elapsed() - startedAt) / 1_000)} s`
    if (!output.isTTY) return void output.write(`  ${percent}  ${label}  ${seconds}\n`)
    const filled = Math.round(share * BAR_WIDTH)
    const line = `  ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${percent}  ${label}  ${seconds}`
    output.write(`\r${line.slice(0, (output.columns ?? 80) - 1)}\u001b[K`)
    isOpen = true
  }

  return {
    report({ done, total, label }) {
      const isLast = done >= total
      if (!isLast && clock.elapsed() - drawnAt < (output.isTTY ? REDRAW : NEXT_LINE)) return
      drawnAt = clock.elapsed()
      draw(total === 0 ? 1 : Math.min(1, done / total), label)
    },
    end() {
      if (isOpen) output.write('\n')
      isOpen = false
    },
  }
}
