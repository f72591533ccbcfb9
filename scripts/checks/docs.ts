// Keeps the pages true: every error code, event and environment variable is documented, every link leads somewhere.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { environmentExample } from 'tailwater'
import { filesBelow, root, type SourceFile } from './sources.ts'

const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** Faults in the documentation; with `fix`, what is generated is written. */
export function checkDocs(sources: readonly SourceFile[], { fix }: { fix: boolean }): string[] {
  return [
    ...errorCodes(sources),
    ...eventNames(sources),
    ...generated('.env.example', environmentExample(), fix),
    ...brokenLinks(),
    ...undocumentedExports(sources),
  ]
}

function errorCodes(sources: readonly SourceFile[]): string[] {
  const thrown = new Set(
    sources.flatMap(({ text }) => [...text.matchAll(/'(E_[A-Z0-9_]*[A-Z0-9])'/g)].map((match) => match[1]!)),
  )
  const pages = ['docs/errors.md', ...(existsSync(join(root, 'docs/errors')) ? filesBelow('docs/errors', /\.md$/) : [])]
  const documented = new Set(
    pages.flatMap((page) => [...read(page).matchAll(/^\| `(E_[A-Z0-9_]+)`/gm)].map((match) => match[1]!)),
  )
  return [
    ...[...thrown].filter((code) => !documented.has(code)).map((code) => `error ${code} is not in docs/errors`),
    ...[...documented]
      .filter((code) => !thrown.has(code))
      .map((code) => `docs/errors documents ${code}, which nothing throws`),
  ]
}

function eventNames(sources: readonly SourceFile[]): string[] {
  const declared = new Set(
    sources.flatMap(({ text }) =>
      [...text.matchAll(/eventChannel<[^>]+>\('(tailwater:[a-z:-]+)'\)/g)].map((match) => match[1]!),
    ),
  )
  const documented = new Set(
    [...read('docs/events.md').matchAll(/^\| `(tailwater:[a-z:-]+)`/gm)].map((match) => match[1]!),
  )
  return [
    ...[...declared].filter((name) => !documented.has(name)).map((name) => `event ${name} is not in docs/events.md`),
    ...[...documented]
      .filter((name) => !declared.has(name))
      .map((name) => `docs/events.md documents ${name}, which nothing declares`),
  ]
}

function generated(path: string, wanted: string, fix: boolean): string[] {
  if (fix) writeFileSync(join(root, path), wanted)
  return existsSync(join(root, path)) && read(path) === wanted
    ? []
    : [`${path} is not what its source generates: run npm run check -- --fix`]
}

function brokenLinks(): string[] {
  const pages = [
    ...filesBelow('docs', /\.md$/),
    ...filesBelow('packages', /\.md$/),
    ...filesBelow('apps', /\.md$/),
    'README.md',
    'bench/README.md',
    'CONTRIBUTING.md',
    'CHANGELOG.md',
    'SECURITY.md',
  ]
  return pages.flatMap((page) =>
    [...read(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .filter((match) => !existsSync(join(root, dirname(page), match[1]!)))
      .map((match) => `${page} links to ${match[1]}, which is not there`),
  )
}

/** Exported declarations of the packages must be preceded by a docstring. */
function undocumentedExports(sources: readonly SourceFile[]): string[] {
  return sources
    .filter(({ path }) => path.startsWith('packages/') && path.includes('/src/') && path.endsWith('.ts'))
    .flatMap(({ path, text }) =>
      [
        ...text.matchAll(
          /(^|\n)(.*)\n(?:\/\/ biome-ignore[^\n]*\n)?export (?:async )?(?:declare )?(?:const|function|class|interface|type|abstract class) ([A-Za-z]+)/g,
        ),
      ]
        .filter((match) => !match[2]!.trimEnd().endsWith('*/') && !isOverload(match[2]!, match[3]!))
        .map((match) => `${path}: ${match[3]} has no docstring`),
    )
}

const isOverload = (lineBefore: string, name: string) =>
  new RegExp(`^export (async )?function ${name}\\b`).test(lineBefore)
