import type { Status } from '../api.ts'
import { age } from '../format.ts'

/** The line at the bottom: which process is being looked at. */
export function StatusBar({ status }: { status: Status | undefined }) {
  if (!status) return <footer className="status-bar" />
  const facts: [string, string][] = [
    ['Tailwater', status.version],
    ['Up', age(status.uptimeSeconds)],
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
