import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useMemo, useState, useSyncExternalStore } from 'react'
import { type ApiError, api, type Me } from '../api.ts'
import { Chart, type Range } from '../charts/chart.tsx'
import { charts } from '../charts/chart_definition.ts'
import { createFeed, type Feed } from '../live/feed.ts'
import { Header } from '../shell/header.tsx'
import { type DatedStatus, StatusBar } from '../shell/status_bar.tsx'
import { Tiles } from './tiles.tsx'
import 'uplot/dist/uPlot.min.css'

/** Ranges that can be chosen. */
const ranges: readonly [Range, ...Range[]] = [
  { label: '2 min', name: '2 minutes', ms: 120_000 },
  { label: '10 min', name: '10 minutes', ms: 600_000 },
  { label: '1 h', name: 'hour', ms: 3_600_000 },
]

/** What is happening now. */
export default function OverviewPage({
  me,
  onLeave,
  onChangePassword,
}: {
  me: Me
  onLeave: (reason?: ApiError) => void
  onChangePassword: () => void
}) {
  const feed = useFeed()
  const state = useSyncExternalStore(feed.subscribe, feed.state)
  const scheme = useComputedColorScheme('dark')
  const [range, setRange] = useState(ranges[0])
  const status = useStatus(state.mode === 'live')

  useEffect(() => {
    if (state.refusal) onLeave(state.refusal)
  }, [state.refusal, onLeave])

  const choose = (label: string) => {
    const chosen = ranges.find((candidate) => candidate.label === label)!
    setRange(chosen)
    // What cannot be fetched now comes in by itself; the stream's own state tells of the trouble.
    feed.reach(chosen.ms / 1_000).catch(() => feed.retryNow())
  }

  return (
    <div className="shell" data-mode={state.mode}>
      <Header
        me={me}
        state={state}
        onRetry={() => feed.retryNow()}
        onLeave={() => onLeave()}
        onChangePassword={onChangePassword}
        range={range.label}
        ranges={ranges.map(({ label }) => label)}
        onRange={choose}
      />
      <main id="main" className="overview" aria-busy={state.mode === 'connecting'}>
        <h1 className="hidden">Overview</h1>
        <Tiles window={state.window} scheme={scheme} poolMax={status?.database.pool?.max} />
        <div className="charts">
          {charts.map((definition) => (
            <Chart key={definition.id} definition={definition} window={state.window} range={range} scheme={scheme} />
          ))}
        </div>
      </main>
      <StatusBar status={status} now={Date.now()} />
    </div>
  )
}

function useFeed(): Feed {
  const feed = useMemo(createFeed, [])
  useEffect(() => {
    feed.open()
    return () => feed.close()
  }, [feed])
  return feed
}

/** Asked for once for each connection: a server that came back may be another one. */
function useStatus(live: boolean): DatedStatus | undefined {
  const [status, setStatus] = useState<DatedStatus>()
  useEffect(() => {
    if (!live) return
    let current = true
    api.status().then(
      (answer) => current && setStatus({ ...answer, upSince: Date.now() - answer.uptimeSeconds * 1_000 }),
      // The line at the bottom is a nicety; the stream reports what is wrong.
      () => current && setStatus(undefined),
    )
    return () => {
      current = false
    }
  }, [live])
  return status
}
