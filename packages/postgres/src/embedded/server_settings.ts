import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import { LOOPBACK } from './port.ts'

/**
 * The settings of the server, all on its command line, so that nothing edited in the folder opens it.
 * Those of the user come first: where a setting is named twice the last one counts.
 */
export function serverSettings(given: {
  maxConnections: number
  socketDir: string | undefined
  settings: Readonly<Record<string, string | number | boolean>>
}): Record<string, string> {
  const own = {
    listen_addresses: LOOPBACK,
    // A list, in which a name may hold commas only within quotes.
    unix_socket_directories: given.socketDir ? `"${given.socketDir.replaceAll('"', '""')}"` : '',
    unix_socket_permissions: '0700',
    password_encryption: 'scram-sha-256',
    max_connections: String(given.maxConnections),
    logging_collector: 'off',
    log_destination: 'stderr',
  }
  const defaults = {
    shared_buffers: '128MB',
    // What a jump costs on a solid-state disk; the server's own 4 is of spinning ones, and makes it read whole tables.
    random_page_cost: '1.1',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Failed statements are reported to their clients; in the log they would pile up, with people's data in them.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_checkpoints: 'off',
    // Compiling plans pays for queries of seconds, and delays the many short ones of an application.
    jit: 'off',
  }
  const settings: Record<string, string> = { ...defaults }
  for (const [name, setting] of Object.entries(given.settings)) settings[name.toLowerCase()] = String(setting)
  return { ...settings, ...own }
}

/** A short mark of the settings and the programs; a server found running is asked for its own. */
export function settingsMark(settings: Record<string, string>, postgres: string): string {
  // An upgrade in place changes the size.
  const program = [postgres, statSync(postgres).size]
  const text = JSON.stringify([program, Object.entries(settings).toSorted(([a], [b]) => (a < b ? -1 : 1))])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** The arguments of the postmaster. */
export function serverArguments(
  pgdata: string,
  port: number,
  settings: Record<string, string>,
  mark: string,
): string[] {
  const all = { ...settings, port: String(port), 'tailwater.settings': mark }
  return ['-D', pgdata, ...Object.entries(all).flatMap(([name, setting]) => ['-c', `${name}=${setting}`])]
}
