import type { JobsBackend } from '../backend.ts'

/** A backend of its own store, empty and started, and how the store's time is moved. */
export interface JobsBackendUnderTest {
  backend: JobsBackend
  /** Makes `ms` pass for the store. Otherwise its time must stand still: clauses count on it to the millisecond. */
  advance(ms: number): Promise<void>
  /** Stops the backend and takes the store away. */
  close(): Promise<void>
}
