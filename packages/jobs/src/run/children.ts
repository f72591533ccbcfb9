import type { InspectPort } from '../backend/inspect_port.ts'
import type { ResolvedKind } from '../kind.ts'
import type { ChildResult } from './running_job.ts'

/** Reads how the children of a job ended, their results as their kinds wrote them. */
export function childrenReader(inspect: InspectPort, kinds: ReadonlyMap<string, ResolvedKind>) {
  return async (id: string): Promise<ChildResult<never>[]> => {
    const children = await inspect.children(id)
    return children.map(({ id: childId, kind, state, result, error }) => ({
      id: childId,
      kind,
      state,
      result: (result === undefined ? undefined : readResult(kinds.get(kind), result)) as never,
      error: state === 'completed' ? undefined : error,
    }))
  }
}

/** The child may be of a kind that only another process defines: then it is no encrypted one, or its result stays closed. */
function readResult(kind: ResolvedKind | undefined, result: string): unknown {
  return kind ? kind.codec.readResult(result) : JSON.parse(result)
}
