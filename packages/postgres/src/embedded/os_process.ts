import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The flag of the system's own threads in /proc/PID/stat. */
const PF_KTHREAD = 0x00200000

/** Whether a process of that id runs; one that has ended but was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
  return statOf(pid)?.state !== 'Z'
}

/** Sends a signal to a process, which may end by itself in the meantime. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}

/**
 * When a process began, in an opaque unit; two processes given the same id differ in it. Undefined without /proc.
 */
export function beginningOf(pid: number): string | undefined {
  return statOf(pid)?.startTicks
}

/** The id of the process that a process answers to: 1, or a reaper's, once its own parent is gone. */
export function parentOf(pid: number): number | undefined {
  return statOf(pid)?.parent
}

/**
 * The folder a process works in. Undefined where it cannot be known: without /proc, of another user, and
 * for a container's root, who usually may not look into others' processes.
 */
export function workingFolderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    // Nothing to tell.
    return undefined
  }
}

/** Whether it is a thread of the system itself, which no program is. */
export function isKernelThread(pid: number): boolean {
  return ((statOf(pid)?.flags ?? 0) & PF_KTHREAD) !== 0
}

/** The words a process was started with, none for one that is ending; undefined where nobody tells, or it is gone. */
export function commandLineOf(pid: number): string[] | undefined {
  if (process.platform === 'win32') return undefined
  if (process.platform !== 'linux') return commandLineFromPs(pid)
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
  } catch {
    // Gone.
    return undefined
  }
}

function commandLineFromPs(pid: number): string[] | undefined {
  const { stdout } = spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout ? stdout.trim().split(' ') : undefined
}

/** The ids of all processes, where there is a /proc. */
export function allProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger)
  } catch {
    // Nothing to tell.
    return []
  }
}

function statOf(pid: number): { state: string; parent: number; flags: number; startTicks: string } | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name, in parentheses, may hold spaces and parentheses itself: fields count from the last one.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0]!, parent: Number(fields[1]), flags: Number(fields[6]), startTicks: fields[19]! }
  } catch {
    // Gone, or no /proc.
    return undefined
  }
}
