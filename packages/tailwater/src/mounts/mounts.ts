import type { Route } from '@tailwater/http'
import type { PlatformParts } from '../platform/services.ts'

/** Ways to put the platform's routes and middleware into an application. */
export interface Mounts {
  /** The platform's own routes: health and the dashboard. */
  readonly routes: readonly Route[]
}

/** Builds the mounts. */
export function createMounts({ surface }: PlatformParts): Mounts {
  return { routes: surface.routes }
}
