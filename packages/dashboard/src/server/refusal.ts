import { hasCode } from '@tailwater/core'
import { type HttpProblem, problem } from '@tailwater/http'

/** Where in the request the fault is, by the code of the engine that found it. */
const PLACES: Readonly<Record<string, string>> = {
  E_CACHE_KEY: '/body/keys',
  E_CACHE_TAG: '/body/tags',
  E_JOB_KIND: '/body/kind',
  E_JOB_KIND_UNKNOWN: '/body/payload',
  E_JOB_PAYLOAD: '/body/payload',
  E_JOB_PAYLOAD_SIZE: '/body/payload',
  E_JOB_UNIQUE: '/body/unique',
  E_MESSAGE_BODY: '/body/body',
  E_MESSAGE_BODY_SIZE: '/body/body',
  E_OPTIONS: '/body',
}

/**
 * Runs what an engine does with a caller's data; what the engine will not have is the caller's fault, not the server's.
 *
 * @param place of the fault, where the code alone does not tell
 * @throws HttpProblem 400 with the engine's code and a path; anything else as it is
 */
export async function asked<T>(work: () => Promise<T>, place?: string): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = Object.keys(PLACES).find((known) => hasCode(error, known))
    if (code === undefined) throw error
    const { message } = error as Error
    throw invalid(place ?? PLACES[code]!, message, code === 'E_OPTIONS' ? 'E_VALIDATION' : code)
  }
}

/** A request that passes its schema and still cannot be. */
export function invalid(path: string, message: string, code = 'E_VALIDATION'): HttpProblem {
  return problem(400, code, message, { errors: [{ path, message, code: 'refused' }] })
}
