import type { BenchOptions } from '../harness/bench.ts'
import type { Measured } from '../harness/row.ts'

/** Rows that are measured together, on the servers of a stage. */
export interface Part<Stage> {
  name: string
  measure(stage: Stage): Promise<Measured[]>
  /** It takes long, and is measured only when it is named. */
  isExtra?: true
}

/** Those that the command line asks for. */
export function chosen<Stage>(parts: readonly Part<Stage>[], { only }: BenchOptions): readonly Part<Stage>[] {
  return parts.filter(({ name, isExtra }) => (only ? only.includes(name) : !isExtra))
}

/** Measures parts one after the other. */
export async function measureAll<Stage>(parts: readonly Part<Stage>[], stage: Stage): Promise<Measured[]> {
  const rows: Measured[] = []
  for (const { measure } of parts) rows.push(...(await measure(stage)))
  return rows
}
