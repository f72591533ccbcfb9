// What the house forbids and no linter knows.
import type { SourceFile } from './sources.ts'

interface Convention {
  pattern: RegExp
  why: string
  /** Files that the rule is about. */
  where: RegExp
  /** Files that own the exception. */
  except?: RegExp
}

const conventions: readonly Convention[] = [
  {
    pattern: /\bDate\.now\(|\bnew Date\(\s*\)|\bperformance\.now\(/,
    why: 'takes the time from the machine: take a Clock',
    where: /^(packages|apps)\/[^/]+\/src\//,
    except: /^packages\/core\/src\/clock\.ts$/,
  },
  {
    pattern: /\bprocess\.env\b/,
    why: 'reads the environment: only packages/tailwater does',
    where: /^(packages|apps)\/[^/]+\/src\//,
    except: /^packages\/tailwater\/src\/|\/src\/testing\//,
  },
  {
    pattern: /\bprocess\.exit\(/,
    why: 'ends the process from a library',
    where: /^packages\/[^/]+\/src\//,
    except: /^packages\/tailwater\/src\/cli\//,
  },
  { pattern: /\b(TODO|FIXME|XXX)\b/, why: 'leaves something for later', where: /./ },
  {
    pattern: /\bas any\b|: any\b|@ts-(ignore|nocheck|expect-error)/,
    why: 'gives a type up',
    where: /\/src\//,
    except: /queryable\.ts$/,
  },
  { pattern: /catch\s*(\([a-z_]*\))?\s*\{\s*\}/i, why: 'swallows an error', where: /\/src\// },
]

const BAD_NAME = /(^|\/)(utils?|helpers?|common|types|managers?|services?)(\.tsx?$|\/)/

/** Faults against the house's conventions. */
export function checkConventions(sources: readonly SourceFile[]): string[] {
  return sources.flatMap((source) => [
    ...nameFaults(source.path),
    ...conventions.flatMap((convention) => faultsOf(source, convention)),
  ])
}

function nameFaults(path: string): string[] {
  if (BAD_NAME.test(path)) return [`${path}: a name that says nothing of what is inside`]
  const file = path.split('/').at(-1) ?? ''
  return /^[a-z0-9_]+(\.[a-z]+)?\.tsx?$/.test(file) || /\/web\//.test(path)
    ? []
    : [`${path}: file names are snake_case`]
}

function faultsOf({ path, text }: SourceFile, { pattern, why, where, except }: Convention): string[] {
  if (!where.test(path) || except?.test(path)) return []
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${why}`] : []))
}
