import type { ReactNode } from 'react'
import { Wordmark } from '../shell/icons.tsx'
import { SchemeToggle } from '../shell/scheme_toggle.tsx'

/** A page with one thing to do, over the water. */
export function Card({ title, lead, children }: { title: string; lead?: ReactNode; children: ReactNode }) {
  return (
    <div className="stage">
      <svg className="water" viewBox="0 0 1440 400" preserveAspectRatio="none" aria-hidden="true">
        <path d="M0 150c180-90 360-90 540 0s360 90 540 0 240-80 360-40v290H0Z" />
        <path d="M0 220c200-80 400-80 600 0s400 80 600 0 160-50 240-40v220H0Z" />
        <path d="M0 290c220-70 440-70 660 0s440 70 780-20v130H0Z" />
      </svg>
      <div className="stage-tools">
        <SchemeToggle />
      </div>
      <main className="panel card">
        <Wordmark />
        <h1>{title}</h1>
        {lead && <p className="lead">{lead}</p>}
        {children}
      </main>
    </div>
  )
}
