// npm run check: types, Biome, layers, sizes, conventions, docs, pack-and-install. `-- --fix` writes what is generated or formatted; `-- NAME` runs one.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { checkConventions } from './checks/conventions.ts'
import { checkDocs } from './checks/docs.ts'
import { checkLayers } from './checks/layers.ts'
import { packAndInstall } from './checks/pack_and_install.ts'
import { checkSizes } from './checks/sizes.ts'
import { productSources, root, type SourceFile } from './checks/sources.ts'

const fix = process.argv.includes('--fix')
const only = process.argv.slice(2).filter((argument) => !argument.startsWith('--'))

function command(program: string, args: readonly string[]): string[] {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'node_modules', ...program.split('/')), ...args],
    { cwd: root, encoding: 'utf8', maxBuffer: 64_000_000 },
  )
  return status === 0 ? [] : [`${stdout}${stderr}`.trim() || `${program} ended with ${status}`]
}

let parsed: SourceFile[] | undefined
const sources = () => {
  parsed ??= productSources()
  return parsed
}

const checks: Record<string, () => string[] | Promise<string[]>> = {
  types: () => command('typescript/bin/tsc', ['-b']),
  biome: () => command('@biomejs/biome/bin/biome', ['check', ...(fix ? ['--write'] : []), '--error-on-warnings', '.']),
  layers: () => checkLayers(sources()),
  sizes: () => checkSizes(sources()),
  conventions: () => checkConventions(sources()),
  docs: () => checkDocs(sources(), { fix }),
  async pack() {
    // What is packed is what the types check writes, which has not run when this one alone was asked for.
    const faults = only.includes('pack') ? command('typescript/bin/tsc', ['-b']) : []
    return faults.length > 0 ? faults : packAndInstall()
  },
}

const unknown = only.find((name) => !Object.hasOwn(checks, name))
if (unknown) throw new Error(`there is no check ${unknown}: ${Object.keys(checks).join(', ')}`)

let failures = 0
for (const [name, run] of Object.entries(checks)) {
  if (only.length > 0 && !only.includes(name)) continue
  console.log(`  ${name} …`)
  const faults = await run()
  failures += faults.length
  for (const fault of faults) console.error(`    ${fault.replaceAll('\n', '\n    ')}`)
}
console.log(failures === 0 ? '\n  every check passed' : `\n  ${failures} faults`)
process.exitCode = failures === 0 ? 0 : 1
