import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync } from 'node:fs'
import { join } from 'node:path'
import { type EmbeddedServerEvent, embeddedServer, listen } from '@tailwater/core'
import type { EmbeddedPostgresOptions, EmbeddedServer } from '@tailwater/postgres/embedded'
import pg from 'pg'
import { findNativePackage } from '../../src/embedded/native_package.ts'
import { asServerUser } from '../../src/embedded/program.ts'
import { chooseServerUser, SETPRIV, type ServerUser } from '../../src/embedded/server_user.ts'
import { copyTree } from '../../src/testing/copy_tree.ts'
import { makePrivateFolder, removePrivateFolder } from '../../src/testing/private_folder.ts'
import { templateFolder } from '../../src/testing/template.ts'

const folders: string[] = []
process.once('exit', () => folders.forEach(removePrivateFolder))

/** An empty folder, removed when the test file's process ends, and its server with it. */
export function emptyFolder(): string {
  const dir = makePrivateFolder()
  folders.push(dir)
  return dir
}

/** A folder with initialised data, which is had faster than by initdb. */
export async function dataFolder(owner?: { uid: number; gid: number }): Promise<string> {
  const dir = emptyFolder()
  const pgdata = join(dir, 'pgdata')
  const user = owner ? { ...owner, closed: undefined } : chooseServerUser(pgdata, findNativePackage(undefined).postgres)
  copyTree(await templateFolder(), pgdata, user)
  if (owner) chownSync(dir, owner.uid, owner.gid)
  return dir
}

/** The first column of the first row. */
export async function ask(server: string | pg.ClientConfig, text: string): Promise<unknown> {
  const client = new pg.Client(server)
  client.on('error', () => {})
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>(text)
    return Object.values(rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

/** Resolves with the next event of a kind. */
export function nextEvent(change: EmbeddedServerEvent['change']): Promise<EmbeddedServerEvent> {
  return new Promise((resolve) => {
    const end = listen(embeddedServer, (event) => {
      if (event.change !== change) return
      end()
      resolve(event)
    })
  })
}

/** What another process said of its start. */
export type Answer = { server: EmbeddedServer } | { code: string; message: string }

/** Another process with a supervisor. */
export interface OtherProcess {
  answer: Answer
  stop(): Promise<void>
  kill(): Promise<void>
}

/** Whom another process runs as: a user, or a container's root, who lacks what lets root look into others' processes and folders. */
export type OtherUser = Omit<ServerUser, 'closed'> | 'root of a container'

/** Starts a supervisor in a process of its own, and does not wait for it. */
export function spawnOther(options: EmbeddedPostgresOptions, user?: OtherUser) {
  const script = join(import.meta.dirname, 'other_process.ts')
  const args = ['--conditions=@tailwater/source', script, JSON.stringify(options)]
  const command = commandOf(user, args)
  const child = spawn(command.program, command.args, {
    ...command.options,
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return { child, ended: once(child, 'exit') }
}

function commandOf(user: OtherUser | undefined, args: readonly string[]) {
  if (user !== 'root of a container') {
    // A clone of root's own may be closed to others, and Node with it.
    return asServerUser(user && { ...user, closed: '/' }, process.execPath, args)
  }
  const limits = ['--bounding-set=-sys_ptrace,-dac_read_search', '--inh-caps=-sys_ptrace,-dac_read_search']
  const { options } = asServerUser(undefined, '', [])
  return { program: SETPRIV, args: [...limits, process.execPath, ...args], options }
}

/** Starts a supervisor in a process of its own, and waits for what it says of its start. */
export async function otherProcess(options: EmbeddedPostgresOptions, user?: OtherUser): Promise<OtherProcess> {
  const { child, ended } = spawnOther(options, user)
  const answer = await Promise.race([
    once(child, 'message').then(([message]) => message as Answer),
    ended.then(() => {
      throw new Error('the other process ended without a word')
    }),
  ])
  return {
    answer,
    stop: async () => {
      child.send('stop')
      await ended
    },
    kill: async () => {
      // The whole group, as a Ctrl-C in a terminal reaches it.
      process.kill(-child.pid!, 'SIGKILL')
      await ended
    },
  }
}

/** What a process says when all went well. */
export function serverOf({ answer }: OtherProcess): EmbeddedServer {
  if ('code' in answer) throw new Error(`${answer.code}: ${answer.message}`)
  return answer.server
}
