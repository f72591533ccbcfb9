import { readFileSync } from 'node:fs'

/** The version of this package, and so of all of Tailwater's: they are released together. */
export function platformVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return manifest.version
}
