import { SegmentedControl } from '@mantine/core'
import type { Me } from '../api.ts'
import type { FeedState } from '../live/feed.ts'
import { AccountMenu } from './account_menu.tsx'
import { ConnectionPill } from './connection_pill.tsx'
import { Wordmark } from './icons.tsx'
import { SchemeToggle } from './scheme_toggle.tsx'

/** What the header needs. */
export interface HeaderProps {
  me: Me
  state: FeedState
  range: string
  ranges: readonly string[]
  onRange: (label: string) => void
  onRetry: () => void
  onLeave: () => void
  onChangePassword: () => void
}

/** The line at the top: where you are, whether it is live, what range, which colours, who you are. */
export function Header({ me, state, range, ranges, onRange, onRetry, onLeave, onChangePassword }: HeaderProps) {
  return (
    <header className="header">
      <a className="skip" href="#main">
        Skip to the numbers
      </a>
      <Wordmark />
      <ConnectionPill state={state} onRetry={onRetry} />
      <SegmentedControl
        className="range"
        size="xs"
        aria-label="Range of the charts"
        data={[...ranges]}
        value={range}
        onChange={onRange}
      />
      <div className="header-tools">
        <SchemeToggle />
        <AccountMenu me={me} onLeave={onLeave} onChangePassword={onChangePassword} />
      </div>
    </header>
  )
}
