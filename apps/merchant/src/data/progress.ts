/** How far a long piece of work is. */
export interface ProgressState {
  /** Rows, lines or bytes done so far. */
  done: number
  /** The same unit; an estimate until the work is over, when it equals `done`. */
  total: number
  /** What is being done, in a word or two: `order lines`. */
  label: string
}

/** Is told how far the work is, often; whoever shows it decides how often to draw. Must not throw. */
export type Progress = (state: ProgressState) => void

/** Shows nothing. */
export const silentProgress: Progress = () => {}
