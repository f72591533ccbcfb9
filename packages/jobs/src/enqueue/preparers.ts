import type { NewJob } from '../job.ts'
import type { JobRequest } from '../request.ts'

/** Makes a job of a request as the engine would, and stores nothing. With a queue, of any kind. */
export type Prepare = (request: JobRequest, queue?: string) => NewJob | Promise<NewJob>

/** Of the engines of this process, for an import that is only tried: what it needs to know is nothing for an application. */
export const preparers: WeakMap<object, Prepare> = new WeakMap()
