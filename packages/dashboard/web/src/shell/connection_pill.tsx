import { UnstyledButton } from '@mantine/core'
import { useEffect, useState } from 'react'
import { age, localTime, universalTime } from '../format.ts'
import type { FeedMode, FeedState } from '../live/feed.ts'

const words: Record<FeedMode, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  paused: 'Paused',
  refused: 'Signed out',
}

/** Whether what is shown is fresh, and if not, how old it is. A click tries again at once. */
export function ConnectionPill({ state, onRetry }: { state: FeedState; onRetry: () => void }) {
  const now = useNow(state.mode === 'reconnecting')
  const newest = state.window.at.at(-1)
  const stale =
    state.mode === 'reconnecting' && newest !== undefined ? `, ${age(Math.max(0, now - newest) / 1_000)} old` : ''
  const title = newest === undefined ? undefined : `Last point ${localTime(newest)} (${universalTime(newest)})`
  const content = (
    <>
      <i />
      {words[state.mode]}
      {stale}
    </>
  )
  return (
    <div className="pill-place">
      <output className="hidden">{words[state.mode]}</output>
      {state.mode === 'reconnecting' ? (
        <UnstyledButton className="pill" data-mode={state.mode} title={title} onClick={onRetry}>
          {content}
          <b>Try now</b>
        </UnstyledButton>
      ) : (
        <span className="pill" data-mode={state.mode} title={title} aria-hidden="true">
          {content}
        </span>
      )}
    </div>
  )
}

/** The time, again each second while it is needed. */
function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    if (!ticking) return
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [ticking])
  return now
}
