import { type Clock, type EmbeddedServerEvent, embeddedServer, sleep } from '@tailwater/core'
import { type DataFolder, readPasswords } from './data_folder.ts'
import { type Hold, takeHold } from './hold.ts'
import { LOOK_EVERY, stopPostmaster } from './postmaster.ts'
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
  const until = Math.max(deadline, clock.elapsed() + LEAST_PATIENCE)
  const { isLast, pid, hold } = await becomeLast(running, { clock, deadline: until })
  if (isLast) {
    await stopPostmaster(running.folder.pgdata, pid, { clock, deadline: until })
    publish(running.folder, 'stopped', pid)
  }
  await hold?.close()
}

/** Whether nobody else uses the server that runs now, which after a crash need not be the one that was held. */
async function becomeLast(
  { hold, folder, pid }: RunningServer,
  { clock, deadline }: { clock: Clock; deadline: number },
): Promise<{ isLast: boolean; pid: number; hold?: Hold }> {
  try {
    return { isLast: await hold.becomeLast(clock), pid, hold }
  } catch {
    // The connection is gone: is there a server, and does it let us in again?
  }
  while (true) {
    const file = readPostmasterFile(folder.pgdata)
    if (!file || !isServerOf(folder.pgdata, file.pid)) return { isLast: false, pid }
    const again = await takeHold(file.port, readPasswords(folder).admin)
    if (typeof again === 'object') return { isLast: await again.becomeLast(clock), pid: file.pid, hold: again }
    // One that lets nobody in serves nobody; one that is being stopped has somebody who sees to it.
    if (again !== 'not-ready' || clock.elapsed() > deadline) return { isLast: again !== 'being-stopped', pid: file.pid }
    await sleep(clock, LOOK_EVERY)
  }
}

/** Tells those who listen what became of the server. */
export function publish(folder: DataFolder, change: EmbeddedServerEvent['change'], pid?: number): void {
  if (embeddedServer.hasSubscribers) embeddedServer.publish({ change, pid, dataDir: folder.root })
}
