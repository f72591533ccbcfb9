import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where data that is made once and measured often is kept. */
export const dataFolder = join(root, '.cache', 'bench-data')
