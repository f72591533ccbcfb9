import type { Status } from '../api.ts'
import { age } from '../format.ts'

/** A status, and since when the process has been up by the reader's clock: its age goes on without asking again. */
export interface DatedStatus extends Status {
  /** Milliseconds since the Unix epoch. */
  upSince: number
}

/** The line at the bottom: which process is being looked at. */
export function StatusBar({ status, now }: { status: DatedStatus | undefined; now: number }) {
  if (!status) return <footer className="status-bar" />
  const facts: [string, string][] = [
    ['Tailwater', status.version],
    ['Up', age((now - status.upSince) / 1_000)],
    ['Node', status.node.replace(/^v/, '')],
    ['PostgreSQL', status.database.version ?? 'unreachable'],
    ['Process', status.process],
  ]
  return (
    <footer className="status-bar">
      <dl className="facts">
        {facts.map(([label, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
    </footer>
  )
}
