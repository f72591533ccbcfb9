import { readFileSync, readlinkSync } from 'node:fs'

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

/**
 * When a process began, in an opaque unit; two processes given the same id differ in it. Undefined without /proc.
 */
export function beginningOf(pid: number): string | undefined {
  return statOf(pid)?.startTicks
}

/** What /proc tells of a process: its working folder, its program, its command line. Undefined where it cannot be read. */
export function inspectProcess(pid: number): { cwd: string; program: string; commandLine: string } | undefined {
  try {
    return {
      cwd: readlinkSync(`/proc/${pid}/cwd`),
      program: readlinkSync(`/proc/${pid}/exe`),
      commandLine: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
    }
  } catch {
    // Gone, of another user, or a system without /proc: nothing to tell.
    return undefined
  }
}

function statOf(pid: number): { state: string; startTicks: string } | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The program's name, in parentheses, may hold spaces and parentheses itself: fields count from the last one.
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0]!, startTicks: fields[19]! }
  } catch {
    // As above.
    return undefined
  }
}
