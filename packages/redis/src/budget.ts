import { redisError } from './errors.ts'

/** One connection, as an operator sees it. */
export interface OpenConnection {
  label: string
  target: string
  isReady: boolean
}

/** Keeps count of the connections that this process may open. */
export interface ConnectionBudget {
  readonly max: number
  readonly used: number
  /** Takes places, and gives back what returns them. @throws E_REDIS_CONNECTION_BUDGET */
  take(label: string, places?: number): () => void
}

/** Makes a budget of so many connections. */
export function createBudget(max: number): ConnectionBudget {
  const taken = new Map<symbol, { label: string; places: number }>()
  const used = () => Array.from(taken.values(), ({ places }) => places).reduce((sum, places) => sum + places, 0)
  return {
    max,
    get used() {
      return used()
    },
    take(label, places = 1) {
      if (used() + places > max) {
        const holders = Array.from(taken.values(), (holder) => `${holder.label} ${holder.places}`).join(', ')
        throw redisError(
          'E_REDIS_CONNECTION_BUDGET',
          `'${label}' would exceed the ${max} connections of this process to Redis (${holders}): raise maxConnections`,
          {
            max,
            label,
          },
        )
      }
      const id = Symbol(label)
      taken.set(id, { label, places })
      return () => void taken.delete(id)
    },
  }
}
