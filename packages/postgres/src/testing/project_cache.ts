import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** What marks the folder of a project, rather than of one package in it. */
const PROJECT_MARKS = ['.git', 'package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock']

/** The folder `.cache/test-postgres` of the project that the tests belong to. */
export function projectCache(): string {
  const cache = join(projectFolder(process.cwd()), '.cache', 'test-postgres')
  mkdirSync(cache, { recursive: true })
  return cache
}

function projectFolder(start: string): string {
  for (let dir = start; dir !== dirname(dir); dir = dirname(dir))
    if (PROJECT_MARKS.some((mark) => existsSync(join(dir, mark)))) return dir
  return start
}
