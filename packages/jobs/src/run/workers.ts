import type { Worker } from './worker.ts'

/** The workers of the engines of this process, for the testing tools: what they need to know is nothing for an application. */
export const workers: WeakMap<object, Worker> = new WeakMap()
