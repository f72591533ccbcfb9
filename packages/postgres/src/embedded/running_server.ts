import { type Clock, type EmbeddedServerEvent, embeddedServer } from '@tailwater/core'
import { type DataFolder, readPasswords } from './data_folder.ts'
import { type Hold, takeHold } from './hold.ts'
import { stopPostmaster } from './postmaster.ts'
import { isServerOf, readPostmasterFile } from './postmaster_file.ts'

/** A server that runs and that this process holds. */
export interface RunningServer {
  hold: Hold
  pid: number
  port: number
  folder: DataFolder
  socketDir: string | undefined
  passwords: { application: string; admin: string }
  how: 'initialised' | 'started' | 'adopted'
}

/** Milliseconds for a fast shutdown whatever the deadline: it takes 20, and spares the next start a recovery. */
const LEAST_PATIENCE = 2_000

/** Gives a server up; the last one to do so stops it. */
export async function letGo(
  running: RunningServer,
  { clock, deadline }: { clock: Clock; deadline: number },
): Promise<void> {
  const { pgdata } = running.folder
  const stop = async (pid: number) => {
    await stopPostmaster(pgdata, pid, { clock, deadline: Math.max(deadline, clock.elapsed() + LEAST_PATIENCE) })
    publish(running.folder, 'stopped', pid)
  }
  const held = await becomeLast(running, clock)
  if (held.isLast) await stop(held.pid)
  await held.hold?.close()
}

/** Whether nobody else uses the server that runs now, which after a crash need not be the one that was held. */
async function becomeLast(
  running: RunningServer,
  clock: Clock,
): Promise<{ isLast: boolean; pid: number; hold: Hold | undefined }> {
  const { hold, folder, pid } = running
  try {
    return { isLast: await hold.becomeLast(clock), pid, hold }
  } catch {
    // The connection is gone; is there a server?
    const file = readPostmasterFile(folder.pgdata)
    if (!file || !isServerOf(folder.pgdata, file.pid)) return { isLast: false, pid, hold: undefined }
    const again = await takeHold(file.port, readPasswords(folder).admin)
    if (typeof again === 'object') return { isLast: await again.becomeLast(clock), pid: file.pid, hold: again }
    // One that lets nobody in serves nobody; one that is being stopped has somebody who sees to it.
    return { isLast: again === 'not-listening' || again === 'not-ready', pid: file.pid, hold: undefined }
  }
}

/** Tells those who listen what became of the server. */
export function publish(folder: DataFolder, change: EmbeddedServerEvent['change'], pid?: number): void {
  if (embeddedServer.hasSubscribers) embeddedServer.publish({ change, pid, dataDir: folder.root })
}
