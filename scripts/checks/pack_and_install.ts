// Packs every package as it would be published, installs the archives into an empty project without any optional peer, and loads every
// entry by import and by require on each Node line that `engines` names.
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { root } from './sources.ts'

/** The lowest version of each line, where something may be missing; the newest of the current ones. */
const NODE_VERSIONS = ['22.18.0', '24.11.0', '26']
const SOURCE_CONDITION = '@tailwater/source'

interface Manifest {
  name: string
  files: string[]
  exports: Record<string, string | Record<string, string>>
  [field: string]: unknown
}

interface Packed {
  manifest: Manifest
  folder: string
  archive: string
}

const workspace = join(root, '.cache', 'pack')

/** Faults of the packages as their users receive them. */
export async function packAndInstall(): Promise<string[]> {
  rmSync(workspace, { recursive: true, force: true })
  const packed = readdirSync(join(root, 'packages')).map(pack)
  const faults = (await Promise.all(packed.map(lint))).flat()
  faults.push(...packed.flatMap(checkTypes))
  const consumer = install(packed)
  for (const version of NODE_VERSIONS) faults.push(...load(consumer, packed, version))
  return faults
}

function pack(name: string): Packed {
  const source = join(root, 'packages', name)
  const folder = join(workspace, 'staged', name)
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest
  for (const conditions of Object.values(manifest.exports))
    if (typeof conditions === 'object') delete conditions[SOURCE_CONDITION]
  mkdirSync(folder, { recursive: true })
  for (const file of manifest.files)
    if (existsSync(join(source, file)))
      cpSync(join(source, file), join(folder, file), {
        recursive: true,
        filter: (path) => !path.endsWith('.tsbuildinfo'),
      })
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest, null, 2))
  const output = npm(folder, ['pack', '--json', '--pack-destination', workspace])
  const [report] = Object.values(JSON.parse(output) as Record<string, { filename: string }>)
  return { manifest, folder, archive: join(workspace, report!.filename.replace('@', '').replace('/', '-')) }
}

async function lint({ manifest, folder }: Packed): Promise<string[]> {
  const { messages } = await publint({ pkgDir: folder, strict: true })
  return messages.map((message) => `${manifest.name}: ${formatMessage(message, manifest as never) ?? message.code}`)
}

/** Whether types resolve for users; CommonJS is left out because there is only ESM, which `require` loads too. */
function checkTypes({ manifest, archive }: Packed): string[] {
  const attw = join(root, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js')
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [attw, archive, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'],
    { encoding: 'utf8' },
  )
  return status === 0 ? [] : [`${manifest.name}: types do not resolve\n${stdout}${stderr}`]
}

function install(packed: readonly Packed[]): string {
  const consumer = join(workspace, 'consumer')
  mkdirSync(consumer)
  writeFileSync(join(consumer, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))
  npm(consumer, [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    ...packed.map((one) => one.archive),
  ])
  return consumer
}

function load(consumer: string, packed: readonly Packed[], version: string): string[] {
  const entries = packed.flatMap(({ manifest }) =>
    Object.keys(manifest.exports)
      .filter((entry) => entry !== './package.json')
      .map((entry) => manifest.name + entry.slice(1)),
  )
  const script = join(consumer, 'load.mjs')
  writeFileSync(
    script,
    `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
for (const entry of ${JSON.stringify(entries)}) {
  try { await import(entry) } catch (error) { console.log(entry + ' cannot be imported: ' + error.message) }
  try { require(entry) } catch (error) { console.log(entry + ' cannot be required: ' + error.message) }
}`,
  )
  const { stdout, stderr, status } = spawnSync(nodeOf(version), ['--disable-warning=ExperimentalWarning', script], {
    cwd: consumer,
    encoding: 'utf8',
  })
  const faults = stdout.split('\n').filter(Boolean)
  return (status === 0 ? faults : [...faults, stderr]).map((fault) => `on Node ${version}: ${fault}`)
}

/** A Node of that version, from the registry's packages that hold nothing but the binary. */
function nodeOf(version: string): string {
  const folder = join(root, '.cache', 'nodes', version)
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(binary)) return binary
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  npm(folder, ['install', '--no-audit', '--no-fund', '--loglevel=error', '--no-save', `${name}@${version}`])
  return binary
}

function npm(cwd: string, args: readonly string[]): string {
  const path = process.env['npm_execpath']
  // A parent npm hands its own settings down; a project elsewhere must not be taken for one of its workspaces.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => !/^npm_(package|lifecycle|config_(local_prefix|prefix|workspace))/.test(name),
    ),
  )
  return path
    ? execFileSync(process.execPath, [path, ...args], { cwd, env, encoding: 'utf8' })
    : execFileSync('npm', args, { cwd, env, encoding: 'utf8' })
}
